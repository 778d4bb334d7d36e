"""Pulumi's updates of environments: run, watched and shown while they last."""
