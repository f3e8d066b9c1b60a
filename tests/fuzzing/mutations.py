"""Valid files, changed: bytes anywhere, and changes that a checksum or a length would hide if it were not made to fit.

Every function takes a file's content and a source of chance and returns another content.
"""

import copy
import gzip
import hashlib
import io
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np

from npae.datasets.other_formats import SIGNATURES, SIGNATURES_OF_BINARY
from npae.training.run_fingerprint import digest_of_all

DEEPEST = 20
LARGEST = 2**17  # bytes of JSON that is changed as such; what has grown larger is changed as bytes

Mutation = Callable[[bytes, Random], bytes]

#: What stands where a number, a text, a list or a table was expected.
JUNK: list[Any] = [
    None, True, False, -1, 0, 1, 2, 3, 7, 64, 65535, 2**31, 2**32, 2**63, 10**9, 10**12, 10**30, 0.5, 1e308, -1e308,
    float("inf"), float("nan"), "", "x", "\ud800", "\x1b[2J", "a" * 5000, [], [0], [1, 2], [-2, -3], [[1, 1], [0, 1]],
    [2**31, 2**31], [1] * 40, [[[[[[[[]]]]]]]], {}, {"x": 1}, [2**62] * 9,
]  # fmt: skip
TOKENS = [
    b"0", b"-1", b"1e999", b"nan", b"inf", b"1_0", b",", b";", b"\t", b"\n", b"\r\n", b'"', b'""', b"\0", b"\xff",
    b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"9" * 400, b"," * 400, b"\n" * 50, b"a", b"\\", b"{", b"}", b"[", b"]", b"F32",
    b"\x93NUMPY", b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0",
]  # fmt: skip


def bytes_edited(content: bytes, chance: Random) -> bytes:
    """One to four places flipped, cut out, repeated, overwritten or cut off."""
    changed = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(changed) + 1)
        match chance.randrange(7):
            case 0 if at < len(changed):
                changed[at] ^= 1 << chance.randrange(8)
            case 1 if at < len(changed):
                changed[at] = chance.choice(b'\0\1\x7f\x80\xff09aA{}[]",:.-\n')
            case 2:
                del changed[at : at + chance.choice((1, 2, 4, 8, 64))]
            case 3:
                token = chance.choice(TOKENS)
                changed[at:at] = token
            case 4:
                token = chance.choice(TOKENS)
                changed[at : at + len(token)] = token
            case 5:
                start = chance.randrange(len(changed) + 1)
                changed[at:at] = changed[start : start + chance.randint(1, 64)]
            case 6 if chance.random() < 0.3:
                del changed[at:]
    return bytes(changed)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value inside nested tables and lists, to a depth of ``DEEPEST``."""
    found = [path] if path else []
    if len(path) == DEEPEST:
        return found
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += places(inner, (*path, key))
    return found


def _at(table: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        table = table[step]
    return table


def json_edited(table: Any, chance: Random) -> Any:
    """One to three values replaced by junk or by one another, removed, repeated, or enlarged. Changes ``table``."""
    for _ in range(chance.randint(1, 3)):
        where = places(table)
        if not where:
            return table
        *above, key = chance.choice(where)
        holder = _at(table, tuple(above))
        match chance.randrange(6):
            case 0 | 1:
                holder[key] = copy.deepcopy(chance.choice(JUNK))  # what is put there may be changed next
            case 2:
                del holder[key]
            case 3:
                holder[key] = copy.deepcopy(_at(table, chance.choice(where)))
            case 4 if isinstance(holder, list) and len(json.dumps(holder)) < 1000:
                holder[key:key] = copy.deepcopy(holder) * chance.choice((1, 1, 40))
            case 5 if type(holder[key]) is int:
                holder[key] = chance.choice((holder[key] + 1, -holder[key], holder[key] * 1000, holder[key] // 2))
            case _ if isinstance(holder, dict):
                holder[chance.choice(("x", "type", "dtype", "__metadata__", "units", "factor", "a"))] = holder.pop(key)
    return table


def safetensors_edited(content: bytes, chance: Random) -> bytes:
    """The header, or what npae keeps within it as text, changed as JSON; lengths are made to fit."""
    try:
        length = int.from_bytes(content[:8], "little")
        if length > LARGEST:
            return bytes_edited(content, chance)
        header, data = json.loads(content[8 : 8 + length]), content[8 + length :]
        metadata = header.get("__metadata__", {})
        inside = [name for name, text in metadata.items() if text.startswith("{")]
        if inside and chance.random() < 0.7:
            name = chance.choice(inside)
            metadata[name] = json.dumps(json_edited(json.loads(metadata[name]), chance))
        elif chance.random() < 0.7:
            header = json_edited(header, chance)
        else:
            data = bytes_edited(data, chance)
        text = json.dumps(header).encode()
    except (ValueError, AttributeError, TypeError, RecursionError):
        return bytes_edited(content, chance)
    return len(text).to_bytes(8, "little") + text + data


def checkpoint_edited(content: bytes, chance: Random) -> bytes:
    """As ``safetensors_edited``, with the digest that belongs to it."""
    content = safetensors_edited(content, chance)
    try:
        length = int.from_bytes(content[:8], "little")
        header, data = json.loads(content[8 : 8 + length]), content[8 + length :]
        record = json.loads(header["__metadata__"]["npae"])
        arrays = {
            name: np.frombuffer(data[slice(*entry["data_offsets"])], np.uint8)
            for name, entry in header.items()
            if name != "__metadata__"
        }
        record["digest"] = digest_of_all({name: record[name] for name in record if name != "digest"}, arrays)
        header["__metadata__"]["npae"] = json.dumps(record)
        text = json.dumps(header).encode()
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        return content
    return len(text).to_bytes(8, "little") + text + data


def compressed_edited(content: bytes, chance: Random) -> bytes:
    """The header of a file of npae compress, or its streams, with the checksum that belongs to them."""
    magic, body = content[:8], content[24:]
    try:
        (length,) = struct.unpack_from("<I", body)
        header, rest = json.loads(body[4 : 4 + length]), body[4 + length :]
        if chance.random() < 0.6:
            text = json.dumps(json_edited(header, chance)).encode()
        else:
            text, rest = body[4 : 4 + length], bytes_edited(rest, chance)
        body = struct.pack("<I", len(text)) + text + rest
    except (ValueError, struct.error, RecursionError):
        body = bytes_edited(body, chance)
    return magic + hashlib.blake2b(body, digest_size=16).digest() + body


def gzip_edited(content: bytes, chance: Random) -> bytes:
    """What is inside, changed and compressed again."""
    if content[:2] != b"\x1f\x8b":
        return bytes_edited(content, chance)
    try:
        inside = gzip.decompress(content)
    except (OSError, EOFError, zlib.error, struct.error):
        return bytes_edited(content, chance)
    return gzip.compress(bytes_edited(inside, chance), mtime=0)


def zip_edited(content: bytes, chance: Random) -> bytes:
    """A member, changed and packed again with the sum that belongs to it."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {info.filename: archive.read(info) for info in archive.infolist()[:20]}
    except Exception:  # whatever zipfile raises on damage
        return bytes_edited(content, chance)
    if members:
        name = chance.choice(sorted(members))
        members[name] = bytes_edited(members[name], chance)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", chance.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for name, inside in members.items():
            archive.writestr(zipfile.ZipInfo(name), inside)
    return file.getvalue()


def midi_edited(content: bytes, chance: Random) -> bytes:
    """What is in one of the chunks, changed; its length is made to fit."""
    chunks, at = [], 0
    while at + 8 <= len(content):
        length = int.from_bytes(content[at + 4 : at + 8], "big")
        chunks.append((content[at : at + 4], content[at + 8 : at + 8 + length]))
        at += 8 + length
    if not chunks:
        return bytes_edited(content, chance)
    i = chance.randrange(len(chunks))
    chunks[i] = (chunks[i][0], bytes_edited(chunks[i][1], chance))
    return b"".join(name + len(inside).to_bytes(4, "big") + inside for name, inside in chunks)


def xml_edited(content: bytes, chance: Random) -> bytes:
    """A number or a word between tags replaced, an element repeated or removed; of a zip, a member changed."""
    if content[:2] == b"PK":
        return zip_edited(content, chance)
    texts = list(re.finditer(rb">([^<>\s]+)<", content))
    elements = list(re.finditer(rb"<([\w-]+)[^<>]*>[^<>]*</\1>", content))
    match chance.randrange(4):
        case 0 | 1 if texts:
            start, end = chance.choice(texts).span(1)
            other = chance.choice([b"0", b"-1", b"1e9", b"99999", b"x", b"3", b"0.5", chance.choice(texts).group(1)])
            return content[:start] + other + content[end:]
        case 2 if elements:
            start, end = chance.choice(elements).span()
            return content[:end] + content[start:end] * chance.choice((1, 1, 20)) + content[end:]
        case 3 if elements:
            start, end = chance.choice(elements).span()
            return content[:start] + content[end:]
    return bytes_edited(content, chance)


def begun_otherwise(content: bytes, chance: Random) -> bytes:
    """The bytes by which a format is known where they stand in it, plain or within gzip; or a member of a zip."""
    if chance.random() < 0.3:
        return zip_edited(content, chance)
    at, magic, _ = chance.choice(SIGNATURES + SIGNATURES_OF_BINARY)
    changed = bytearray(content.ljust(at + len(magic) + chance.randrange(2), b"\0"))
    changed[at : at + len(magic)] = magic
    return gzip.compress(bytes(changed), mtime=0) if chance.random() < 0.3 else bytes(changed)


def png_edited(content: bytes, chance: Random) -> bytes:
    """A chunk of a PNG, changed, with the sum that belongs to it."""
    chunks, at = [], 8
    while content[:4] == b"\x89PNG" and at + 12 <= len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        chunks.append((content[at + 4 : at + 8], content[at + 8 : at + 8 + length]))
        at += 12 + length
    if not chunks:
        return bytes_edited(content, chance)
    i = chance.randrange(len(chunks))
    kind, inside = chunks[i]
    if chance.random() < 0.2:
        chunks.insert(i, (chance.choice((b"iCCP", b"zTXt", b"tRNS", b"PLTE", b"acTL", b"fcTL", b"eXIf", kind)), inside))
    else:
        chunks[i] = (kind, bytes_edited(inside, chance))
    result = content[:8]
    for kind, inside in chunks:
        result += struct.pack(">I", len(inside)) + kind + inside + struct.pack(">I", zlib.crc32(kind + inside))
    return result
