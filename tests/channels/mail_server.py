"""A mail server made of aiosmtpd, which Python's own reader of mails reads them for.

mail_server.py FOLDER starttls|implicit PASSWORD [MECHANISM]: the certificate and its key lie in FOLDER, and each mail that
was taken becomes a line of JSON in `mails` there. Prints its port. Of the ways to log in it offers MECHANISM alone, if given.
Rejects `reject@`, puts `greylist@` off once, takes the text for `spam@` for what that is, hangs up on `lost@`.
"""

import asyncio
import email
import email.policy
import json
import logging
import ssl
import sys
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult

folder, protection, password = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
mechanism = sys.argv[4:5]


class Handler:
    def __init__(self):
        self.put_off = set()

    async def handle_RCPT(self, server, session, envelope, address, options):
        name = address.split("@")[0]
        if name == "reject":
            return "550 5.1.1 no such mailbox"
        if name == "greylist" and address not in self.put_off:
            self.put_off.add(address)
            return "451 4.7.1 come again later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server, session, envelope):
        name = envelope.rcpt_tos[0].split("@")[0]
        if name == "spam":
            return "554 5.7.1 this looks like spam"
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        taken = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "user": session.auth_data.decode() if session.authenticated else None,
            "encrypted": protection == "implicit" or bool(session.ssl),
            "headers": {header: str(mail[header]) for header in ("From", "To", "Subject", "Auto-Submitted")},
            "id": str(mail["Message-ID"]),
            "defects": [str(defect) for part in mail.walk() for defect in part.defects],
            "text": mail.get_body(("plain",)).get_content(),
            "html": mail.get_body(("html",)).get_content(),
        }
        with open(folder / "mails", "a", encoding="utf-8") as mails:
            mails.write(json.dumps(taken) + "\n")
        if name == "lost":
            server.transport.abort()
        return "250 2.0.0 taken"


def login(server, session, envelope, mechanism, data):
    known = (data.login, data.password) == (b"drctl", password.encode())
    return AuthResult(success=known, handled=False, auth_data=data.login)


async def main():
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(folder / "server.pem", folder / "key.pem")
    implicit, handler = protection == "implicit", Handler()
    exclude = [other for other in ("PLAIN", "LOGIN") if mechanism and other not in mechanism]

    def connection():
        return SMTP(
            handler,
            hostname="mail.test",
            enable_SMTPUTF8=True,
            tls_context=None if implicit else tls,
            require_starttls=not implicit,
            auth_required=True,
            auth_require_tls=not implicit,
            auth_exclude_mechanism=exclude,
            authenticator=login,
            loop=asyncio.get_running_loop(),
        )

    server = await asyncio.get_running_loop().create_server(
        connection, "127.0.0.1", 0, ssl=tls if implicit else None
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


# What it would say of its own future is nothing to a test.
logging.disable()
asyncio.run(main())
