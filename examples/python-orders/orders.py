"""A service that keeps orders in PostgreSQL.

    POST /orders   takes an order, {"item": "tea"}, and answers 201 with its number
    GET  /orders   answers 200 with all orders

When the database fails it answers 503 within two seconds, and its pool of connections mends itself.
"""

import argparse
import json
import queue
import select
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg2
import psycopg2.extensions

POOL = 3  # connections
PATIENCE = 1.0  # seconds for which a request waits for a connection, and then for each answer of the database
REST = 0.05  # seconds between two attempts to connect

TABLE = "CREATE TABLE IF NOT EXISTS orders (id bigserial PRIMARY KEY, item text NOT NULL)"


def wait(connection):
    """Waits for the database, but not for ever: this is what psycopg2 calls in place of blocking."""
    deadline = time.monotonic() + PATIENCE
    while (state := connection.poll()) != psycopg2.extensions.POLL_OK:
        reading = [connection] if state == psycopg2.extensions.POLL_READ else []
        writing = [connection] if state == psycopg2.extensions.POLL_WRITE else []
        if not any(select.select(reading, writing, [], max(deadline - time.monotonic(), 0))):
            raise psycopg2.OperationalError(f"the database has not answered for {PATIENCE:g} s")


class Pool:
    """Is a pool of connections, in which a thread replaces those that have broken."""

    def __init__(self, database):
        self._database = database
        self._idle = queue.Queue()
        self._missing = threading.Semaphore(POOL)
        threading.Thread(target=self._refill, daemon=True).start()

    def run(self, query, *values):
        """Runs one query in a transaction of its own, and returns its rows."""
        try:
            connection = self._idle.get(timeout=PATIENCE)
        except queue.Empty:
            raise psycopg2.OperationalError("there is no connection to the database") from None
        try:
            with connection.cursor() as cursor:
                cursor.execute(query, values)
                rows = cursor.fetchall()
        except psycopg2.Error:
            connection.close()
            self._missing.release()
            raise
        self._idle.put(connection)
        return rows

    def _refill(self):
        while self._missing.acquire():
            while True:
                connection = None
                try:
                    connection = psycopg2.connect(self._database)
                    connection.autocommit = True
                    with connection.cursor() as cursor:
                        cursor.execute(TABLE)
                    self._idle.put(connection)
                    break
                except psycopg2.Error:
                    if connection is not None:
                        connection.close()
                    time.sleep(REST)


class Orders(BaseHTTPRequestHandler):
    """Answers one connection's requests."""

    protocol_version = "HTTP/1.1"
    pool = None

    def do_GET(self):
        self._answer(200, "SELECT id, item FROM orders ORDER BY id")

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(201, "INSERT INTO orders (item) VALUES (%s) RETURNING id, item", body["item"])

    def _answer(self, status, query, *values):
        try:
            said = [{"id": number, "item": item} for number, item in self.pool.run(query, *values)]
        except psycopg2.Error as err:
            status, said = 503, {"error": str(err).strip()}
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database", help="how PostgreSQL is reached, such as 'host=127.0.0.1 port=5432 user=postgres'")
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    psycopg2.extensions.set_wait_callback(wait)
    Orders.pool = Pool(arguments.database)
    with ThreadingHTTPServer(("127.0.0.1", arguments.port), Orders) as server:
        print(f"http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
