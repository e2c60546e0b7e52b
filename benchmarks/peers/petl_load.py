"""petl: a table from the file, with its types converted, appended to the database's."""

import sys
from datetime import date
from decimal import Decimal

import petl
import psycopg
from lineitem import DATES, DECIMALS, INTEGERS

path, url = sys.argv[1:3]
table = petl.fromcsv(path)
table = petl.convert(table, dict.fromkeys(INTEGERS, int))
table = petl.convert(table, dict.fromkeys(DECIMALS, Decimal))
table = petl.convert(table, dict.fromkeys(DATES, date.fromisoformat))
with psycopg.connect(url) as connection:
    petl.appenddb(table, connection, "lineitem")
