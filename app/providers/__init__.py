"""The providers that accounts can be linked at, behind one small interface and chosen by configuration."""
