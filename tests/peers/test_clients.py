"""Client libraries as people install them, on many user threads at once, against real servers."""

from pathlib import Path

from tests.peers.support import needs, postgres, redis, succeeds

CERTIFICATE = Path(__file__).parents[1] / "stdlib" / "certificates" / "localhost.pem"


def test_redis_py() -> None:
    needs("redis")
    code = """
import redis
port = int(sys.argv[1])
shared = redis.Redis(port=port, max_connections=200)

def work(number):
    own = redis.Redis(port=port) if number % 2 else shared
    for turn in range(20):
        own.set(f"key {number}", f"{number}.{turn}")
        assert own.get(f"key {number}") == f"{number}.{turn}".encode()
        shared.incr("count")
    own.rpush(f"list {number}", "item")  # for whoever waits below
    if own is not shared:
        own.close()

def wait_for_item(number):
    own = redis.Redis(port=port)
    assert own.blpop(f"list {number}", timeout=20) == (b"list %d" % number, b"item")
    own.close()

together(100, lambda number: wait_for_item(number - 50) if number >= 50 else work(number))
assert shared.get("count") == b"1000"
print("done")
shared.close()
"""
    with redis() as port:
        assert succeeds(code, str(port)) == "done\n"


def test_redis_py_publishes_and_subscribes() -> None:
    needs("redis")
    code = """
import redis
port = int(sys.argv[1])
ready = threading.Barrier(21)

def work(number):
    with redis.Redis(port=port) as client:
        if number == 20:
            ready.wait(20)
            assert client.publish("news", "hello") == 20
            return
        with client.pubsub() as news:
            news.subscribe("news")
            assert news.get_message(timeout=20)["type"] == "subscribe"
            ready.wait(20)
            assert news.get_message(timeout=20)["data"] == b"hello"

together(21, work)
print("done")
"""
    with redis() as port:
        assert succeeds(code, str(port)) == "done\n"


def test_pg8000() -> None:
    needs("pg8000")
    code = """
import pg8000.dbapi as pg
port = int(sys.argv[1])

def connect():
    return pg.connect("weft", host="127.0.0.1", port=port, database="postgres", ssl_context=False)

first = connect()
first.cursor().execute("create table counted (name text primary key, n int)")
first.cursor().execute("insert into counted values ('all', 0)")
first.commit()

def work(number):
    connection = connect()
    cursor = connection.cursor()
    for turn in range(5):
        cursor.execute("update counted set n = n + 1 where name = 'all'")  # all wait for one row
        cursor.execute("select %s::int * 2, repeat('x', %s)", (number, number * 100))
        assert tuple(cursor.fetchone()) == (number * 2, "x" * number * 100)
        connection.commit()
    cursor.execute("select pg_sleep(0.2)")  # the server takes its time: the others go on
    cursor.execute("select generate_series(1, 500)")
    assert [row[0] for row in cursor.fetchall()] == list(range(1, 501))
    connection.close()

together(40, work)
cursor = first.cursor()
cursor.execute("select n from counted")
print(cursor.fetchone()[0])
first.close()
"""
    with postgres() as port:
        assert succeeds(code, str(port)) == "200\n"


HTTP_SERVER = """
import http.server, json

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.path == "/slow":
            time.sleep(0.2)
        self.answer(self.path.encode())
    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers["Content-Length"])))
    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass

class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 200

server = Server(("127.0.0.1", 0), Handler)
serving = threading.Thread(target=server.serve_forever)
serving.start()
at = f"http://127.0.0.1:{server.server_port}"
"""


def test_requests_and_urllib3_against_the_standard_library_s_server() -> None:
    needs("requests")
    code = (
        HTTP_SERVER
        + """
import requests, urllib.request, urllib3
pool = urllib3.PoolManager(maxsize=10, block=True)

def work(number):
    if number % 3 == 0:
        with requests.Session() as session:
            for turn in range(5):
                assert session.get(f"{at}/{number}/{turn}", timeout=20).text == f"/{number}/{turn}"
            assert session.post(at, data=b"x" * 300_000, timeout=20).content == b"x" * 300_000
    elif number % 3 == 1:
        for turn in range(5):
            answer = pool.request("GET", f"{at}/{number}/{turn}", timeout=20)
            assert answer.data == f"/{number}/{turn}".encode()
    else:
        with urllib.request.urlopen(f"{at}/slow", timeout=20) as answer:
            assert answer.read() == b"/slow"

together(90, work)
pool.clear()
server.shutdown()
serving.join()
server.server_close()
print("done")
"""
    )
    assert succeeds(code) == "done\n"


def test_requests_over_tls() -> None:
    needs("requests")
    code = (
        HTTP_SERVER
        + """
import requests, ssl
certificate = sys.argv[1]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate)
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)

def work(number):
    with requests.Session() as session:
        session.trust_env = False  # or the environment's certificates would count instead
        session.verify = certificate
        at = f"https://localhost:{server.server_port}"
        for turn in range(3):
            assert session.get(f"{at}/{number}/{turn}", timeout=20).text == f"/{number}/{turn}"
        assert session.post(at, data=b"x" * 300_000, timeout=20).content == b"x" * 300_000
        assert session.get(f"{at}/slow", timeout=20).text == "/slow"

together(40, work)
server.shutdown()
serving.join()
server.server_close()
print("done")
"""
    )
    assert succeeds(code, str(CERTIFICATE)) == "done\n"


def test_a_timeout_of_requests_is_its_own_error() -> None:
    needs("requests")
    code = (
        HTTP_SERVER
        + """
import requests
server.handle_error = lambda *_: None  # it finds that nobody waits for its answer

def work(number):
    try:
        requests.get(f"{at}/slow", timeout=0.02)
    except requests.exceptions.Timeout:
        pass
    else:
        raise AssertionError("no timeout")

together(20, work)
server.shutdown()
serving.join()
server.server_close()
print("done")
"""
    )
    assert succeeds(code) == "done\n"


def test_ftplib_against_pyftpdlib() -> None:
    needs("pyftpdlib")
    code = """
import ftplib, io, logging, os, tempfile, warnings
warnings.simplefilter("ignore")
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import ThreadedFTPServer
logging.disable(logging.CRITICAL)

folder = tempfile.mkdtemp()

FTPHandler.authorizer = DummyAuthorizer()
FTPHandler.authorizer.add_user("user", "secret", folder, perm="elradfmw")
server = ThreadedFTPServer(("127.0.0.1", 0), FTPHandler)
port = server.socket.getsockname()[1]
serving = threading.Thread(target=server.serve_forever, daemon=True)
serving.start()

def work(number):
    data = os.urandom(20_000 + number)
    with ftplib.FTP() as client:
        client.connect("127.0.0.1", port, timeout=20)
        client.login("user", "secret")
        client.storbinary(f"STOR file{number}", io.BytesIO(data))
        back = io.BytesIO()
        client.retrbinary(f"RETR file{number}", back.write)
        assert back.getvalue() == data

together(20, work)
print(len(os.listdir(folder)))
sys.stdout.flush()
os._exit(0)
"""
    assert succeeds(code) == "20\n"


def test_paramiko_on_both_ends() -> None:
    needs("paramiko")
    code = """
import os, socket, warnings
warnings.simplefilter("ignore")
import paramiko
key = paramiko.RSAKey.generate(2048)

class Door(paramiko.ServerInterface):
    def check_auth_password(self, user, password):
        return paramiko.AUTH_SUCCESSFUL if password == "secret" else paramiko.AUTH_FAILED
    def check_channel_request(self, kind, number):
        return paramiko.OPEN_SUCCEEDED
    def check_channel_exec_request(self, channel, command):
        threading.Thread(target=self.answer, args=(channel, command)).start()
        return True
    def answer(self, channel, command):
        channel.sendall(channel.makefile("rb").read() + command)
        channel.send_exit_status(3)
        channel.close()

listener = socket.create_server(("127.0.0.1", 0))
servers = []

def serve():
    for _ in range(8):
        transport = paramiko.Transport(listener.accept()[0])
        transport.add_server_key(key)
        servers.append(transport)
        transport.start_server(server=Door(), event=threading.Event())

serving = threading.Thread(target=serve)
serving.start()

def work(number):
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    client.connect("127.0.0.1", listener.getsockname()[1], "user", "secret", look_for_keys=False,
                   allow_agent=False, timeout=30, banner_timeout=30, auth_timeout=30)
    for turn in range(3):
        into, out, _ = client.exec_command(f"command {turn}")
        into.write("x" * 50_000)
        into.channel.shutdown_write()
        assert out.read() == b"x" * 50_000 + f"command {turn}".encode()
        assert out.channel.recv_exit_status() == 3
    client.close()

together(8, work)
for transport in servers:
    transport.close()
serving.join()
listener.close()
print("done")
"""
    assert succeeds(code) == "done\n"
