"""
Makes the reference values for the x87's transcendental instructions, with mpmath at 700 bits.

    python3 scripts/vectors-transcendental.py FILE [CASES] [SEED]

A line: instruction, ST(0), ST(1) (double extended, in hex), then what is true for each result: sign, floor of log2 of the magnitude, 112 bits of
the significand, in hex. Arguments are random over the range for which the instruction is meant.
"""

import gzip
import random
import sys

from mpmath import mp, mpf, atan2, cos, expm1, floor, frexp, ln, log1p, pi, sin, tan


def number(low, high, sign=None):
    """A double extended number with its exponent (unbiased) from low to high."""
    s = random.getrandbits(1) if sign is None else sign
    e = random.randint(low, high)
    m = (1 << 63) | random.getrandbits(63)
    if random.randrange(8) == 0:
        m = (1 << 63) | (random.getrandbits(6) << 57)
    return (s, e, m)


def text(x):
    s, e, m = x
    return "%04x%016x" % ((s << 15) | (e + 16383), m)


def value(x):
    s, e, m = x
    v = mpf(m) * mpf(2) ** (e - 63)
    return -v if s else v


def truth(v):
    m, e = frexp(abs(v))
    return "%d %d %028x" % (1 if v < 0 else 0, e - 1, int(floor(m * mpf(2) ** 112)))


def cases(count):
    for k in range(count):
        wide = k % 3
        x = number(-80, -1)
        yield "f2xm1", x, None, [expm1(value(x) * ln(2))]
        x = number(-200, 200, 0) if wide else number(-1, 0, 0)
        y = number(-40, 40)
        yield "fyl2x", x, y, [value(y) * ln(value(x)) / ln(2)]
        x = number(-100, -3)
        yield "fyl2xp1", x, y, [value(y) * log1p(value(x)) / ln(2)]
        x = number(-90, -1) if wide else number(0, 62)
        yield "fsin", x, None, [sin(value(x))]
        yield "fcos", x, None, [cos(value(x))]
        yield "fsincos", x, None, [cos(value(x)), sin(value(x))]
        yield "fptan", x, None, [mpf(1), tan(value(x))]
        x = number(-150, 150) if wide else number(-1, 1)
        y = number(-150, 150) if wide else number(-1, 1)
        yield "fpatan", x, y, [atan2(value(y), value(x))]


def near_poles():
    """Multiples of pi / 2, where a short pi shows."""
    for k in range(1, 40):
        n = random.getrandbits(k) + 1
        m, e = frexp(pi * n / 2)
        x = (random.getrandbits(1), e - 1, int(floor(m * mpf(2) ** 64)))
        yield "fsin", x, None, [sin(value(x))]
        yield "fcos", x, None, [cos(value(x))]
        yield "fptan", x, None, [mpf(1), tan(value(x))]


file = sys.argv[1]
count = int(sys.argv[2]) if len(sys.argv) > 2 else 100
random.seed(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
mp.prec = 700
lines = []
for name, x, y, results in [*cases(count), *near_poles()]:
    lines.append(" ".join([name, text(x), "0" if y is None else text(y), *map(truth, results)]))
with gzip.GzipFile(file, "wb", 9, mtime=0) as f:
    f.write(("\n".join(lines) + "\n").encode())
print(len(lines), "cases")
