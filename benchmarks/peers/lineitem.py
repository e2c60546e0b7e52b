"""Columns of lineitem, for the scripts beside."""

DECIMALS = ["l_quantity", "l_extendedprice", "l_discount", "l_tax"]
INTEGERS = ["l_orderkey", "l_partkey", "l_suppkey", "l_linenumber"]
DATES = ["l_shipdate", "l_commitdate", "l_receiptdate"]
TEXTS = ["l_returnflag", "l_linestatus", "l_shipinstruct", "l_shipmode", "l_comment"]
COLUMNS = [*INTEGERS, *DECIMALS, *TEXTS[:2], *DATES, *TEXTS[2:]]
