"""The service: links a person's financial accounts over OAuth."""
