"""What Python's email package finds in a notification on standard input, as JSON."""
import base64, email, email.policy, json, quopri, sys

policy = email.policy.SMTPUTF8.clone(refold_source="none")
message = email.message_from_bytes(sys.stdin.buffer.read(), policy=policy)


def fields(part):
    return [[name, str(value)] for name, value in part.items()]


def inner(part):
    """The octets of a message/* part, whose transfer encoding the package leaves in place."""
    octets = b"".join(block.as_bytes(policy=policy) for block in part.get_payload())
    return quopri.decodestring(octets) if part["Content-Transfer-Encoding"] == "quoted-printable" else octets


def found(part):
    kind = part.get_content_type()
    told = {"type": kind, "encoding": str(part["Content-Transfer-Encoding"])}
    if kind == "message/delivery-status":
        told["groups"] = [fields(block) for block in part.get_payload()]
    elif kind == "message/global-delivery-status":
        groups = inner(part).strip().split(b"\r\n\r\n")
        told["groups"] = [fields(email.message_from_bytes(group, policy=policy)) for group in groups]
    else:
        content = inner(part) if part.is_multipart() else part.get_payload(decode=True)
        told["content"] = base64.b64encode(content).decode()
    return told


print(
    json.dumps(
        {
            "fields": fields(message),
            "defects": [repr(defect) for part in message.walk() for defect in part.defects],
            "parts": [found(part) for part in message.iter_parts()],
        }
    )
)
