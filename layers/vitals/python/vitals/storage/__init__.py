"""What is kept, under which keys, and how it is read and written."""
