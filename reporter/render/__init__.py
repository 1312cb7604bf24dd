"""Documents made of a report and its charts: HTML, PDF and, later, mail and CI files."""
