"""An environment's CA in the trust stores of this machine and its browsers, and out of them again."""
