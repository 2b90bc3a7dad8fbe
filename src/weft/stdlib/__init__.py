"""What programs call: the modules that weft supplies under CPython's, and faster versions above them."""
