#ifndef SQUARE_ROOT_H
#define SQUARE_ROOT_H

#include "bench.h"

/* The square of a double as the sum of two (Dekker, Numerische Mathematik 18, 1971). */
static inline double square_error(double x, double square)
{
#ifdef __FP_FAST_FMA
	return __builtin_fma(x, x, -square);
#else
	double big = x * 134217729.0, high = big - (big - x), low = x - high;

	return high * high - square + 2 * high * low + low * low;
#endif
}

/*
 * The e500mc has no FSQRT (core reference manual, chapter 3). For positive normal numbers: an estimate from the bits, Newton's steps on the
 * reciprocal root, and a last one on the root with the residual exact, which rounds correctly.
 */
static inline double square_root(double x)
{
	union {
		double value;
		u64 bits;
	} estimate = {x};

	estimate.bits = 0x5fe6eb50c7b537a9 - (estimate.bits >> 1);
	double reciprocal = estimate.value;
	for (int step = 0; step < 4; step++)
		reciprocal = reciprocal * (1.5 - 0.5 * x * reciprocal * reciprocal);
	double root = x * reciprocal, square = root * root;
	return root + (x - square - square_error(root, square)) * 0.5 * reciprocal;
}

#endif
