"""The callback server: takes a provider's redirect and delivers it to the app."""
