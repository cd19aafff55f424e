# lptrain's random numbers (base/random.h), repeated for the scripts beside this one: a key of names and numbers, and the element's index.
import math

MASK = (1 << 64) - 1

def mix(x):
    x = (x + 0x9e3779b97f4a7c15) & MASK
    x = ((x ^ (x >> 30)) * 0xbf58476d1ce4e5b9) & MASK
    x = ((x ^ (x >> 27)) * 0x94d049bb133111eb) & MASK
    return x ^ (x >> 31)

def fnv(text):
    h = 0xcbf29ce484222325
    for c in text.encode():
        h = ((h ^ c) * 0x100000001b3) & MASK
    return h

def key_of(seed, *parts):
    key = mix(seed)
    for part in parts:
        key = mix(key ^ mix(fnv(part) if isinstance(part, str) else part))
    return key

def bits23(key, i):
    x = i ^ (key & 0xffffffff)
    x ^= x >> 16
    x = x * 0x7feb352d & 0xffffffff
    x ^= x >> 15
    x = x * 0x846ca68b & 0xffffffff
    x ^= x >> 16
    return (x ^ (key >> 32)) >> 9

def draws(key, shape):  # 23 random bits an element, in order
    return [bits23(key, i) for i in range(math.prod(shape))]

def uniforms(key, shape):  # in (0, 1)
    return [(k + 0.5) / (1 << 23) for k in draws(key, shape)]
