"""`python -m limani`"""

from limani.cli import main

main()
