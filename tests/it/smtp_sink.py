"""A real SMTP server (aiosmtpd) that writes each mail to disk before it says 250. Prints its port."""

import email
import hashlib
import json
import os
import ssl
import sys
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult


class Sink:
    def __init__(self, path):
        self.log = open(path, "a", encoding="utf-8")

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content)
        subject = str(email.header.make_header(email.header.decode_header(mail["Subject"] or "")))
        plain = [p for p in mail.walk() if p.get_content_type() == "text/plain"]
        text = plain[0].get_payload(decode=True).decode("utf-8", "replace") if plain else ""
        for recipient in envelope.rcpt_tos:
            line = {
                "to": recipient,
                "message_id": mail["Message-ID"],
                "subject": subject,
                "digest": hashlib.sha256(envelope.content).hexdigest(),
                "text": text,
            }
            self.log.write(json.dumps(line) + "\n")
        self.log.flush()
        os.fsync(self.log.fileno())
        return "250 taken"


class AnyPort(Controller):
    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


def guard(cert, key):
    """STARTTLS with a certificate, and one user who may send."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)

    def knows(server, session, envelope, mechanism, data):
        return AuthResult(success=data.login == b"watch" and data.password == b"smtp-secret-canary")

    return {"tls_context": context, "require_starttls": True, "auth_required": True, "authenticator": knows}


if __name__ == "__main__":
    guarded = guard(*sys.argv[2:4]) if len(sys.argv) > 2 else {}
    controller = AnyPort(Sink(sys.argv[1]), hostname="127.0.0.1", port=0, **guarded)
    controller.start()
    print(controller.port, flush=True)
    threading.Event().wait()
