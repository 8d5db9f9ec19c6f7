"""Making the documentation out of the program itself."""
