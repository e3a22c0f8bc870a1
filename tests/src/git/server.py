"""A Git server over https for tests, which can be told to misbehave.

Usage: server.py DIRECTORY PORT. DIRECTORY holds what it serves and how:
  *.git           bare repositories
  behaviour.json  read anew for every connection and request; see server.rs for its fields
  *.pem           certificates and keys
  requests.jsonl  written: one line for each request that was answered
It listens on 127.0.0.1 only, prints its port, and serves until it is killed.
"""

import base64
import gzip
import http.server
import json
import os
import ssl
import subprocess
import sys
import threading
import time

DIRECTORY = sys.argv[1]
LOG_LOCK = threading.Lock()


def behaviour():
    with open(os.path.join(DIRECTORY, "behaviour.json"), encoding="utf-8") as file:
        return json.load(file)


def tls_context():
    wanted = behaviour()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    name = os.path.join(DIRECTORY, wanted["certificate"])
    context.load_cert_chain(name + ".pem", name + ".key.pem")
    if wanted["client_certificate"]:
        context.load_verify_locations(os.path.join(DIRECTORY, "authority.pem"))
        context.verify_mode = ssl.CERT_REQUIRED
    return context


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "git-test-server"

    def setup(self):
        # The handshake happens here, in the connection's own thread, so that one that hangs or fails
        # does not keep the others waiting.
        self.request = tls_context().wrap_socket(self.request, server_side=True)
        super().setup()

    def do_GET(self):
        self.answer()

    def do_POST(self):
        self.answer()

    def answer(self):
        wanted = behaviour()
        body = self.body()
        if wanted["fault"] == "stall":
            time.sleep(3600)
        if wanted["redirect"]:
            self.finish_with("302 Found", {"Location": wanted["redirect"] + self.path}, b"")
        elif not self.may_enter(wanted["token"]):
            headers = {"WWW-Authenticate": 'Basic realm="git"', "Content-Type": "text/plain"}
            self.finish_with("401 Unauthorized", headers, b"wrong token\n")
        elif wanted["fault"] == "server-error":
            self.finish_with("503 Service Unavailable", {"Content-Type": "text/plain"}, b"out\n")
        elif wanted["fault"] == "not-git":
            self.finish_with("200 OK", {"Content-Type": "text/html"}, b"<html>a login page</html>\n")
        else:
            self.git(body, wanted["fault"])

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            parts = []
            while True:
                size = int(self.rfile.readline().split(b";")[0], 16)
                part = self.rfile.read(size)
                self.rfile.readline()
                if size == 0:
                    break
                parts.append(part)
            body = b"".join(parts)
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Content-Encoding") in ("gzip", "x-gzip"):
            body = gzip.decompress(body)
        return body

    def may_enter(self, token):
        if token is None:
            return True
        scheme, _, value = self.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return value == token
        if scheme.lower() == "basic":
            return base64.b64decode(value).decode().partition(":")[2] == token
        return False

    def git(self, body, fault):
        path, _, query = self.path.partition("?")
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": DIRECTORY,
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "HOME": DIRECTORY,
            "GATEWAY_INTERFACE": "CGI/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        answer = subprocess.run(
            ["git", "http-backend"], input=body, env=environment, stdout=subprocess.PIPE, check=False
        ).stdout
        head, _, answer = answer.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        status = headers.pop("Status", "200 OK")
        # A pack begins after its section header; ls-refs answers have none.
        pack = answer.find(b"PACK") if path.endswith("/git-upload-pack") else -1
        cut = pack + (len(answer) - pack) // 2
        if pack >= 0 and fault == "truncate-pack":
            self.finish_with(status, headers, answer[:cut])
        elif pack >= 0 and fault == "drop-pack":
            self.finish_with(status, headers, answer[:cut], len(answer))
            self.close_connection = True
        elif pack >= 0 and fault == "stall-pack":
            self.finish_with(status, headers, answer[:cut], len(answer))
            time.sleep(3600)
        elif pack >= 0 and fault == "damage-pack":
            damaged = bytearray(answer)
            damaged[cut] ^= 0xFF
            self.finish_with(status, headers, bytes(damaged))
        else:
            self.finish_with(status, headers, answer)

    def finish_with(self, status, headers, body, announced=None):
        code, _, reason = status.partition(" ")
        # Written before the answer, so that whoever has the answer finds the line.
        self.remember(int(code), len(body))
        self.send_response(int(code), reason)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if announced is None else announced))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def remember(self, status, sent):
        line = {
            "method": self.command,
            "path": self.path,
            "status": status,
            "sent": sent,
            "authorization": self.headers.get("Authorization"),
        }
        with LOG_LOCK, open(os.path.join(DIRECTORY, "requests.jsonl"), "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        # A client that goes away or refuses the certificate is what some tests are about.
        pass


server = Server(("127.0.0.1", int(sys.argv[2])), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
