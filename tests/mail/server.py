"""A mail server for tests, on 127.0.0.1 alone: python3 server.py MODE [CERTIFICATE KEY [USER PASSWORD]]

MODE is plain, starttls (nothing is taken before it), tls (from the first byte) or injecting (see inject). Orders come as
JSON lines on standard input, each answered on standard output once it is carried out; a letter stands there before the
client hears that it was taken. It ends when standard input does.
"""

import asyncio
import base64
import email
import email.policy
import json
import logging
import os
import socket
import ssl
import sys
import threading
from email.header import decode_header, make_header
from email.utils import getaddresses

from aiosmtpd.smtp import SMTP, AuthResult

MODE = sys.argv[1]
CERTIFICATE = sys.argv[2:4]
ACCOUNT = [text.encode() for text in sys.argv[4:6]]


def say(**line):
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def read(envelope):
    """What a mail program would show of a letter."""
    # Other than ASCII there are only addresses (RFC 6532).
    letter = email.message_from_string(envelope.content.decode(), policy=email.policy.SMTPUTF8)
    parts = {part.get_content_type(): part.get_content() for part in letter.walk() if not part.is_multipart() and not part.is_attachment()}

    def addresses(name):
        # By the older parser: the newer leaves spaces where a long name is cut into several encoded words.
        raw = [text.replace("\r\n", "") for header, text in letter.raw_items() if header.lower() == name]
        return [[str(make_header(decode_header(shown))), address] for shown, address in getaddresses(raw)]

    return {
        "from": envelope.mail_from,
        "to": envelope.rcpt_tos,
        "from_header": addresses("from"),
        "to_header": addresses("to"),
        "subject": str(letter["subject"]),
        "type": letter.get_content_type(),
        "text": parts.get("text/plain"),
        "html": parts.get("text/html"),
        "headers": [[name, str(value)] for name, value in letter.items()],
        "raw": base64.b64encode(envelope.content).decode(),
    }


class Refusals:
    """Which senders, recipients and letters (the word is “letter”) get which code."""

    def __init__(self):
        self.codes = {}

    def answer(self, key):
        code = self.codes.get(key)
        return code and f"{code} {code // 100}.7.1 not now, not here"

    async def handle_MAIL(self, server, session, envelope, address, options):
        refusal = self.answer(address)
        if not refusal:
            envelope.mail_from = address
        return refusal or "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        refusal = self.answer(address)
        if not refusal:
            envelope.rcpt_tos.append(address)
        return refusal or "250 OK"

    async def handle_DATA(self, server, session, envelope):
        refusal = self.answer("letter")
        if not refusal:
            say(received=read(envelope))
        return refusal or "250 OK"


def sign_in(server, session, envelope, mechanism, given):
    """A refusal says the password again, as no server should and some do."""
    if [given.login, given.password] == ACCOUNT:
        return AuthResult(success=True)
    password = given.password.decode()
    return AuthResult(success=False, handled=False, message=f"535 5.7.8 {password} is wrong for {given.login.decode()}")


class Server(SMTP):
    """Says what it hears in clear."""

    def data_received(self, data):
        if self.transport.get_extra_info("sslcontext") is None:
            say(clear=base64.b64encode(data).decode())
        super().data_received(data)


def context():
    if not CERTIFICATE:
        return None
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(*CERTIFICATE)
    return made


def bound(port):
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("127.0.0.1", port))
    return made


def inject(listener):
    """A real server with a certificate that is trusted, and somebody in between who adds answers of their own to the one
    to STARTTLS: to a client that still takes them afterwards, the whole conversation seems to go well."""
    forged = b"250-mail\r\n250 8BITMIME\r\n" + b"250 OK\r\n" * 2 + b"354 go on\r\n" + b"250 OK\r\n"
    while True:
        client, _ = listener.accept()
        client.sendall(b"220 mail\r\n")
        client.recv(1000)
        client.sendall(b"250-mail\r\n250 STARTTLS\r\n")
        client.recv(1000)
        client.sendall(b"220 go on\r\n" + forged)
        try:
            with context().wrap_socket(client, server_side=True) as inner:
                inner.recv(1000)
                inner.sendall(b"250 mail\r\n")
                while inner.recv(1000):
                    pass
        except OSError:
            pass


async def main():
    # What clients do wrong is for the tests to say.
    logging.disable()
    # Bound and never listening: nobody else gets the port while the server is down.
    reserved = bound(0)
    port = reserved.getsockname()[1]
    refusals = Refusals()
    loop = asyncio.get_running_loop()
    connections = []

    def connection():
        made = Server(
            refusals,
            hostname="mail.test",
            loop=loop,
            enable_SMTPUTF8=True,
            tls_context=context() if MODE == "starttls" else None,
            require_starttls=MODE == "starttls",
            authenticator=sign_in if ACCOUNT else None,
            auth_required=bool(ACCOUNT),
            auth_require_tls=MODE == "starttls",
            auth_exclude_mechanism=None if ACCOUNT else ["LOGIN", "PLAIN"],
        )
        connections.append(made)
        return made

    async def up():
        listener = bound(port)
        listener.listen()
        return await loop.create_server(connection, sock=listener, ssl=context() if MODE == "tls" else None)

    if MODE == "injecting":
        server = bound(port)
        server.listen()
        threading.Thread(target=inject, args=(server,), daemon=True).start()
    else:
        server = await up()
    say(port=port)
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while line := await orders.readline():
        order = json.loads(line)
        if order["order"] == "refuse":
            refusals.codes[order["key"]] = order["code"]
        elif order["order"] == "down":
            server.close()
            for made in connections:
                if made.transport:
                    made.transport.abort()
        elif order["order"] == "up":
            server = await up()
        say(done=True)
    # At once, whatever connections there are.
    os._exit(0)


asyncio.run(main())
