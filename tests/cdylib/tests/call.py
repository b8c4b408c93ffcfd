"""Calls a derivative in a shared library: call.py LIBRARY."""

import ctypes
import math
import sys

library = ctypes.CDLL(sys.argv[1])
function = library.log_sum_exp_gradient
function.restype = ctypes.c_double

x = [0.5, -1.0, 2.0, 1.5]
numbers = ctypes.c_double * len(x)
gradient = numbers()
value = function(numbers(*x), gradient, ctypes.c_size_t(len(x)))

total = sum(map(math.exp, x))
assert math.isclose(value, math.log(total), rel_tol=1e-13), value
for actual, number in zip(gradient, x):
    expected = math.exp(number) / total
    assert math.isclose(actual, expected, rel_tol=1e-13), (list(gradient), expected)
print("softmax", *gradient)
