"""What there is: each environment's services, certificates, data and drift, for people and for scripts."""
