#!/usr/bin/env python3
"""The api of the three tiers: answers on 8080 with what the database says, on 9090 with figures
that only its operators should see."""
import http.server
import socketserver
import subprocess
import sys
import threading

DATABASE = sys.argv[1]
served = 0


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    address_family = 10  # AF_INET6: takes IPv4 too
    daemon_threads = True


class Api(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        global served
        served += 1
        if self.server.server_port == 9090:
            body = f"api_requests_total {served}\n".encode()
        elif self.path == "/healthz":
            body = b"ok\n"
        else:
            body = subprocess.run(
                ["psql", "-h", DATABASE, "-U", "postgres", "-Atc",
                 "select name, price from goods order by price"],
                capture_output=True, check=True).stdout
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


for port in (8080, 9090):
    threading.Thread(target=Server(("::", port), Api).serve_forever).start()
