#ifndef SQUARE_ROOT_H
#define SQUARE_ROOT_H

/* FSQRT or SQRTSD, by what the file is compiled for. */
static inline double square_root(double x)
{
	return __builtin_sqrt(x);
}

#endif
