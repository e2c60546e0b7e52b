"""The script that is written first: csv.DictReader, and rows into SQLAlchemy's insert, 1,000 a commit."""

import csv
import sys
from datetime import date
from decimal import Decimal
from itertools import islice

import sqlalchemy
from lineitem import DATES, DECIMALS, INTEGERS

path, url, *function = sys.argv[1:]
engine = sqlalchemy.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
table = sqlalchemy.Table("lineitem", sqlalchemy.MetaData(), autoload_with=engine)


def typed(row):
    for name in INTEGERS:
        row[name] = int(row[name])
    for name in DECIMALS:
        row[name] = Decimal(row[name])
    for name in DATES:
        row[name] = date.fromisoformat(row[name])
    if function:
        row["l_revenue"] = round(row["l_extendedprice"] * (1 - row["l_discount"]) * (1 + row["l_tax"]), 2)
    return row


with open(path, newline="") as lines, engine.connect() as connection:
    rows = map(typed, csv.DictReader(lines))
    while part := list(islice(rows, 1_000)):
        connection.execute(table.insert(), part)
        connection.commit()
