"""A client of PostgreSQL by psycopg2, with its default settings: "select" asks for a number, "insert" inserts a row and commits."""

import os
import sys

import psycopg2

connection = psycopg2.connect(host=os.environ["CHAOSGATE_HOST"], port=os.environ["CHAOSGATE_PORT"], user="postgres", dbname="postgres", sslmode="disable")
cursor = connection.cursor()
if sys.argv[1] == "select":
    cursor.execute("select 42")
    print(cursor.fetchone()[0])
else:
    cursor.execute("insert into orders values (%s)", (os.environ["CHAOSGATE_ATTEMPT"],))
    connection.commit()
    print("done")
connection.close()
