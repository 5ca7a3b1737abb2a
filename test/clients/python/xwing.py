"""X-Wing encapsulation (draft-connolly-cfrg-xwing-kem-06) over ML-KEM-768 (FIPS 203), for sealing only.

Slow, and not in constant time: it shows that a client needs no special library, and suffices where what is
encapsulated is sent once. A client for real use takes a library's ML-KEM."""

import hashlib
import os

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

Q, N, K = 3329, 256, 3


def _bit_reversed(i):
    return int(f"{i:07b}"[::-1], 2)


ZETAS = [pow(17, _bit_reversed(i), Q) for i in range(128)]
GAMMAS = [pow(17, 2 * _bit_reversed(i) + 1, Q) for i in range(128)]


def _ntt(f):
    f, i, length = list(f), 1, 128
    while length >= 2:
        for start in range(0, N, 2 * length):
            for j in range(start, start + length):
                t = ZETAS[i] * f[j + length] % Q
                f[j], f[j + length] = (f[j] + t) % Q, (f[j] - t) % Q
            i += 1
        length //= 2
    return f


def _inverse_ntt(f):
    f, i, length = list(f), 127, 2
    while length <= 128:
        for start in range(0, N, 2 * length):
            for j in range(start, start + length):
                t = f[j]
                f[j], f[j + length] = (t + f[j + length]) % Q, ZETAS[i] * (f[j + length] - t) % Q
            i -= 1
        length *= 2
    return [x * 3303 % Q for x in f]


def _multiply(f, g):
    h = []
    for i in range(128):
        a0, a1, b0, b1 = f[2 * i], f[2 * i + 1], g[2 * i], g[2 * i + 1]
        h += [(a0 * b0 + a1 * b1 * GAMMAS[i]) % Q, (a0 * b1 + a1 * b0) % Q]
    return h


def _add(f, g):
    return [(x + y) % Q for x, y in zip(f, g)]


def _bits(data):
    return [(byte >> i) & 1 for byte in data for i in range(8)]


def _encode(f, d):
    return sum(x << (d * i) for i, x in enumerate(f)).to_bytes(32 * d, "little")


def _decode(data, d):
    whole = int.from_bytes(data, "little")
    return [(whole >> (d * i)) & ((1 << d) - 1) for i in range(N)]


def _compress(f, d):
    return [((x << d) + Q // 2) // Q % (1 << d) for x in f]


def _uniform(seed):
    stream, out = hashlib.shake_128(seed).digest(1344), []
    for i in range(0, len(stream), 3):
        a, b, c = stream[i : i + 3]
        out += [x for x in (a + 256 * (b % 16), b // 16 + 16 * c) if x < Q]
    return out[:N]  # 896 candidates at 0.81: fewer than 256 does not happen


def _noise(r, nonce):
    bits = _bits(hashlib.shake_256(r + bytes([nonce])).digest(128))
    return [(bits[4 * i] + bits[4 * i + 1] - bits[4 * i + 2] - bits[4 * i + 3]) % Q for i in range(N)]


def _ml_kem_encapsulate(public, m):
    """FIPS 203 algorithm 17, with algorithm 14 inside."""
    t = [_decode(public[384 * i : 384 * (i + 1)], 12) for i in range(K)]
    if len(public) != 1184 or any(x >= Q for f in t for x in f):
        raise ValueError("not an ML-KEM-768 key")
    both = hashlib.sha3_512(m + hashlib.sha3_256(public).digest()).digest()
    shared, r, rho = both[:32], both[32:], public[1152:]
    y = [_ntt(_noise(r, i)) for i in range(K)]
    ciphertext = b""
    for i in range(K):
        total = [0] * N
        for j in range(K):  # the transposed matrix: row i, column j is sampled as (rho, i, j)
            total = _add(total, _multiply(_uniform(rho + bytes([i, j])), y[j]))
        ciphertext += _encode(_compress(_add(_inverse_ntt(total), _noise(r, K + i)), 10), 10)
    total = [0] * N
    for i in range(K):
        total = _add(total, _multiply(t[i], y[i]))
    message = [bit * ((Q + 1) // 2) for bit in _bits(m)]
    v = _add(_add(_inverse_ntt(total), _noise(r, 2 * K)), message)
    return shared, ciphertext + _encode(_compress(v, 4), 4)


def encapsulate(public, randomness=None):
    """(shared secret, 1120 bytes to send) for a public X-Wing key of 1216 bytes."""
    randomness = randomness or os.urandom(64)
    if len(public) != 1216:
        raise ValueError("not an X-Wing key")
    shared_m, sent_m = _ml_kem_encapsulate(public[:1184], randomness[:32])
    private_x = X25519PrivateKey.from_private_bytes(randomness[32:])
    sent_x = private_x.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    shared_x = private_x.exchange(X25519PublicKey.from_public_bytes(public[1184:]))
    label = b"\\.//^\\"
    shared = hashlib.sha3_256(shared_m + shared_x + sent_x + public[1184:] + label).digest()
    return shared, sent_m + sent_x
