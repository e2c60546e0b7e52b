"""pandas: the file in parts, each written by `to_sql`."""

import sys

import pandas as pd
import sqlalchemy
from lineitem import DATES

path, url = sys.argv[1:3]
engine = sqlalchemy.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
with engine.begin() as connection:
    for frame in pd.read_csv(path, chunksize=10_000, parse_dates=DATES):
        frame.to_sql("lineitem", connection, if_exists="append", index=False)
