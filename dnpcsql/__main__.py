"""`python -m dnpcsql`."""

from dnpcsql.cli import main

main()
