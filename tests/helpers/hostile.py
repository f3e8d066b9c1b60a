"""Files for the exercise "dense" that are handed in to break the grader or to win a pass, and the status each must get.

All of them return a wrong gradient, where they return one at all.
"""

FORGED = """
import json, os, struct, sys
def frame(number, arrays=(), **more):
    header = json.dumps({"id": number, "changed": [], "arrays": list(arrays), **more}).encode()
    return struct.pack(">IQ", len(header), 0) + header
def everywhere(content):
    for descriptor in range(0, 64):
        try: os.write(descriptor, content)
        except OSError: pass
"""
WRONG = """
import numpy as np
def backward(g, x, W):
    return g @ W.T, x.T @ g, g.mean(0)
"""


def doing(body: str, before: str = "") -> str:
    """A file whose backward does this and then returns a wrong gradient."""
    lines = "\n".join("    " + line for line in body.splitlines())
    return f"{before}\ndef backward(g, x, W):\n{lines}\n    return g @ W.T, x.T @ g, g.mean(0)\n"


#: name: (source, status or statuses)
HOSTILE: dict[str, tuple[str | bytes, str]] = {
    "infinite loop": (doing("while True: pass"), "timeout"),
    "infinite loop at import": ("while True: pass", "timeout"),
    "100 GB": (doing("a = bytearray(10**11)"), "memory"),
    "100 GB of numpy": (doing("np.ones(10**11 // 8)", "import numpy as np"), "memory"),
    "memory in small pieces": (doing("a = []\nwhile True: a.append(bytearray(10**6))"), "memory timeout"),
    "sys.exit": (doing("sys.exit(0)", "import sys"), "error"),
    "sys.exit at import": ("import sys\nsys.exit(0)", "error"),
    "os._exit": (doing("os._exit(0)", "import os"), "crash"),
    "os._exit at import": ("import os\nos._exit(0)", "crash"),
    "abort": (doing("os.abort()", "import os"), "crash"),
    "fork": (doing("os.fork()", "import os"), "crash error"),
    "many forks": (doing("for _ in range(6): os.fork()\ntime.sleep(600)", "import os, time"), "timeout error"),
    "child that outlives": (
        doing("if os.fork() == 0:\n    os.setsid()\n    time.sleep(600)", "import os, time"),
        "wrong error",
    ),
    "closed stdout": (doing("sys.stdout.close()", "import sys"), "wrong"),
    "all descriptors closed": (doing("os.closerange(0, 64)", "import os"), "crash"),
    "printed verdict": (doing("print('dense  ✓ pass', flush=True)\nprint('\\x1b[2Jpass')"), "wrong"),
    "endless print": (doing("while True: print('pass' * 1000)"), "error timeout"),
    "forged frames": (FORGED + doing("everywhere(frame(3, verdict='pass', status='pass'))"), "shape crash"),
    "forged frames at import": (FORGED + "everywhere(frame(2, status='pass') * 50)\n" + WRONG, "shape crash"),
    "forged frame that never ends": (FORGED + doing("everywhere(struct.pack('>IQ', 9, 2**26))"), "crash timeout"),
    "huge frame": (FORGED + doing("everywhere(struct.pack('>IQ', 2**32 - 1, 2**63))"), "crash"),
    "patched numpy": (
        "import numpy as np\nnp.allclose = np.array_equal = np.isfinite = lambda *a, **k: np.True_\n"
        "np.abs = np.max = lambda *a, **k: 0.0\n" + WRONG,
        "wrong",
    ),
    "patched npae": ("import npae.learn.judging.judge as j\nj.judge = lambda *a: 'pass'\n" + WRONG, "error"),
    "npae in sys.modules": (
        "import sys, types\nm = types.ModuleType('npae')\nm.learn = m\nm.judge = lambda *a: 'pass'\n"
        "sys.modules['npae'] = sys.modules['npae.learn'] = sys.modules['npae.learn.judging.judge'] = m\n" + WRONG,
        "wrong",
    ),
    "patched worker": (
        "import gc, sys\nfor o in gc.get_objects():\n"
        "    if type(o) is dict and '__name__' in o and 'npae' in str(o['__name__']):\n"
        "        for k in ('as_arrays', '_packed', 'trouble_of', 'encode'):\n"
        "            if k in o: o[k] = lambda *a, **k: (True, True, True)\n"
        "sys.modules['__main__'].__dict__.clear()\n" + WRONG,
        "shape crash wrong error",
    ),
    "stack of the worker searched for answers": (
        "import sys\n"
        + doing(
            "f = sys._getframe()\nwhile f:\n"
            "    for v in f.f_locals.values():\n"
            "        if getattr(v, 'truth', None): return tuple(v.truth.values())\n"
            "    f = f.f_back"
        ),
        "wrong",
    ),
    "written outside": (doing("open('../../npae-outside.txt', 'w').write('x')"), "wrong error"),
    "recursion": ("def backward(g, x, W): return backward(g, x, W)", "error"),
    "recursion without a limit": (
        "import sys\nsys.setrecursionlimit(10**9)\ndef backward(g, x, W): return [backward(g, x, W)]",
        "crash memory timeout error",
    ),
    "views that change later": (
        doing(
            "def later():\n    time.sleep(0.01)\n    db[:] = g.sum(0)\ndb = np.zeros(g.shape[1])\n"
            "try: threading.Thread(target=later).start()\nexcept RuntimeError: pass\nreturn g @ W.T, x.T @ g, db",
            "import threading, time\nimport numpy as np",
        ),
        "wrong",
    ),
    "lying array": (
        "class Liar(object):\n    n = 0\n    dtype = float\n    shape = (3,)\n    def __array__(self, *a, **k):\n"
        "        import numpy\n        Liar.n += 1\n        return numpy.full(self.k, float(Liar.n))\n"
        "    def __eq__(self, other): return True\n    def __sub__(self, other): return 0.0\n"
        "def backward(g, x, W):\n    db = Liar()\n    db.k = g.shape[1]\n    return g @ W.T, x.T @ g, db\n",
        "wrong",
    ),
    "lying subclass": (
        "import numpy as np\nclass Equal(np.ndarray):\n    def __eq__(self, o): return np.True_\n"
        "    def tobytes(self): return b''\n    def __array_ufunc__(self, *a, **k): return np.float64(0)\n"
        "def backward(g, x, W): return g @ W.T, x.T @ g, np.asarray(g.mean(0)).view(Equal)\n",
        "wrong",
    ),
    "object array": (
        "import numpy as np\ndef backward(g, x, W): return g @ W.T, x.T @ g, g.sum(0).astype(object)",
        "shape",
    ),
    "NaN": (doing("return g @ W.T, x.T @ g, g.sum(0) * float('nan')"), "wrong"),
    "infinity": (doing("return g @ W.T, x.T @ g, g.sum(0) + float('inf')"), "wrong"),
    "float16": (doing("return g @ W.T, x.T @ g, g.sum(0).astype('float16')"), "shape"),
    "int": (doing("return g @ W.T, x.T @ g, g.sum(0).astype(int)"), "shape"),
    "complex": (doing("return g @ W.T, x.T @ g, g.sum(0) + 0j"), "shape"),
    "strings": (doing("return g @ W.T, x.T @ g, 'pass'"), "shape"),
    "wrong shape": (doing("return g @ W.T, x.T @ g, g.sum(0)[None]"), "shape"),
    "transposed": (doing("return g @ W.T, g.T @ x, g.sum(0)"), "shape"),
    "too few": (doing("return g @ W.T"), "shape"),
    "nothing returned": (doing("return"), "shape"),
    "endless tuple": (
        "class T(tuple):\n    def __iter__(self):\n        while True: yield 1.0\n"
        "    def __len__(self): return 3\ndef backward(g, x, W): return T((1, 2, 3))",
        "shape timeout memory",
    ),
    "10^9 elements": (doing("return np.zeros(10**9), 0, 0", "import numpy as np"), "memory"),
    "10^9 elements of nothing": (doing("return np.broadcast_to(0., 10**9), 0, 0", "import numpy as np"), "shape"),
    "many dimensions": (doing("return np.ones((1,) * 32), 0.0, 0.0", "import numpy as np"), "shape"),
    "empty": ("", "missing"),
    "stub": ("def backward(g, x, W): raise NotImplementedError", "missing"),
    "no function": ("backward = 'pass'", "missing"),
    "syntax error": ("def backward(g, x, W:", "error"),
    "deep syntax": ("x = " + "(" * 10_000, "error memory crash"),
    "not UTF-8": (b"def backward(g, x, W):\n    return '\xff\xfe'", "error"),
    "UTF-16": (WRONG.encode("utf-16"), "error"),
    "null bytes": (b"def backward(g, x, W):\0\n    return g", "error"),
    "huge": (b"#" * (2 << 20), "error"),
    "sleep in __del__": (
        doing("D()", "import time\nclass D:\n    def __del__(self): time.sleep(600)"),
        "timeout",
    ),
    "atexit": (
        doing("pass", "import atexit, time\natexit.register(time.sleep, 600)\natexit.register(print, 'pass')"),
        "wrong",
    ),
    "endless thread": (
        doing("try: threading.Thread(target=lambda: time.sleep(600)).start()\nexcept RuntimeError: pass",
            "import threading, time"),
        "wrong",
    ),
    "signals ignored": (
        doing("while 1: time.sleep(1)", "import signal, time\nfor s in (2, 15): signal.signal(s, signal.SIG_IGN)"),
        "timeout",
    ),
    "stopped": (doing("os.kill(os.getpid(), 19)", "import os"), "timeout"),
    "stdin": (doing("input('pass? ')"), "error"),
    "KeyboardInterrupt": (doing("raise KeyboardInterrupt"), "error"),
    "SystemExit": (doing("raise SystemExit(0)"), "error"),
    "evil BaseException": (
        doing("raise E", "class E(BaseException):\n    def __str__(self): raise self\n    __repr__ = __str__"),
        "error",
    ),
    "evil exception class": (
        doing("raise E('x')", "class M(type):\n    def __getattribute__(c, n): raise SystemExit\n"
            "class E(Exception, metaclass=M): pass"),
        "error crash",
    ),
    "exception of 1 GB": (
        doing("raise E", "class E(Exception):\n    def __str__(self): return 'x' * 10**9"),
        "error memory",
    ),
    "escapes in an exception": (doing("raise ValueError('\\x1b[2J\\x07 pass')"), "error"),
    "changed inputs": (doing("g[:] = 0"), "wrong"),
    "numpy emptied": ("import numpy\nnumpy.__dict__.clear()\ndef backward(g, x, W): return g", "error crash shape"),
    "zero for zero only": (doing("return 0 * x, 0 * W, 0 * g[0]"), "wrong"),
}  # fmt: skip
