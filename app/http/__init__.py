"""What every route needs: problem details, pages, sessions, limits, metrics."""
