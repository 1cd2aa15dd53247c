#include "bench.h"
#include "square_root.h"

/* Compiled twice, with TESTS and SUFFIX: for the x87 and for SSE2, without and with fused multiply-add. */

struct body {
	double at[3], speed[3], mass;
};

/* The Sun and the four large planets, roughly, in steps of a thousandth. */
static u32 nbody(u32 rounds)
{
	enum { N = 5 };
	struct body bodies[N] = {
		{{0, 0, 0}, {0, 0, 0}, 39.47},
		{{4.84, -1.16, -0.10}, {0.6, 2.8, -0.02}, 0.037},
		{{8.34, 4.12, -0.4}, {-1.01, 1.8, 0.008}, 0.011},
		{{12.89, -15.11, -0.22}, {1.08, 0.86, -0.01}, 0.0017},
		{{15.37, -25.9, 0.18}, {0.97, 0.59, -0.03}, 0.002},
	};
	const double dt = 0.001;

	while (rounds-- > 0) {
		for (u32 i = 0; i < N; i++)
			for (u32 j = i + 1; j < N; j++) {
				double apart[3], square = 0;

				for (u32 k = 0; k < 3; k++) {
					apart[k] = bodies[i].at[k] - bodies[j].at[k];
					square += apart[k] * apart[k];
				}
				double pull = dt / (square * square_root(square));
				for (u32 k = 0; k < 3; k++) {
					bodies[i].speed[k] -= apart[k] * bodies[j].mass * pull;
					bodies[j].speed[k] += apart[k] * bodies[i].mass * pull;
				}
			}
		for (u32 i = 0; i < N; i++)
			for (u32 k = 0; k < 3; k++)
				bodies[i].at[k] += dt * bodies[i].speed[k];
	}
	return (u32)(i32)(bodies[1].at[0] * 1e6);
}

/* 64 by 64 points of the Mandelbrot set, to a depth of 100. */
static u32 mandel(u32 rounds)
{
	u32 sum = 0;

	while (rounds-- > 0)
		for (u32 y = 0; y < 64; y++)
			for (u32 x = 0; x < 64; x++) {
				double real = (int)x / 32.0 - 1.5, imaginary = (int)y / 32.0 - 1.0, r = 0, i = 0;
				u32 depth = 0;

				for (; depth < 100 && r * r + i * i < 4; depth++) {
					double next = r * r - i * i + real;

					i = 2 * r * i + imaginary;
					r = next;
				}
				sum += depth;
			}
	return sum;
}

static u32 matf(u32 rounds)
{
	enum { N = 96 };
	static float a[N][N], b[N][N], product[N][N];
	struct random random = {5};
	u32 sum = 0;

	for (u32 i = 0; i < N; i++)
		for (u32 j = 0; j < N; j++) {
			a[i][j] = (float)(int)(random_next(&random) & 0xff) / 256;
			b[i][j] = (float)(int)(random_next(&random) & 0xff) / 256;
		}
	while (rounds-- > 0) {
		memset(product, 0, sizeof(product));
		for (u32 i = 0; i < N; i++)
			for (u32 k = 0; k < N; k++) {
				float factor = a[i][k];

				for (u32 j = 0; j < N; j++)
					product[i][j] += factor * b[k][j];
			}
		sum += (u32)product[rounds % N][rounds * 7 % N];
	}
	return sum;
}

const struct test TESTS[] = {
	{"nbody" SUFFIX, nbody, 300000},
	{"mandel" SUFFIX, mandel, 150},
	{"matf" SUFFIX, matf, 100},
	{0},
};
