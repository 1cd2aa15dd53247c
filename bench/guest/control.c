#include "bench.h"

/* Calls, jumps and dependent loads. */

static __attribute__((noinline)) u32 fibonacci(u32 n)
{
	return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

static u32 fib(u32 rounds)
{
	u32 sum = 0;

	while (rounds-- > 0)
		sum += fibonacci(30);
	return sum;
}

struct node {
	struct node *next;
	u32 value;
};

/* One ring through all nodes in random order. */
static u32 list(u32 rounds)
{
	enum { N = 65536 };
	struct node *nodes = take(N * sizeof(*nodes));
	u32 *order = take(N * sizeof(*order));
	struct random random = {4};
	u32 sum = 0;

	for (u32 i = 0; i < N; i++)
		order[i] = i;
	for (u32 i = N - 1; i > 0; i--) {
		u32 j = random_next(&random) % (i + 1), other = order[i];

		order[i] = order[j];
		order[j] = other;
	}
	for (u32 i = 0; i < N; i++) {
		nodes[order[i]].next = &nodes[order[(i + 1) % N]];
		nodes[order[i]].value = i;
	}
	const struct node *at = nodes;
	for (u64 step = (u64)rounds * N; step > 0; step--) {
		sum += at->value;
		at = at->next;
	}
	return sum;
}

/* A virtual machine of nine instructions and three registers. */
enum { ADD, MIX, SCALE, ROTATE, SUBTRACT, STEP_IF_ODD, SHIFT, COUNT_UP, STOP };

static u32 interp(u32 rounds)
{
	static const u8 program[] = {ADD, MIX, SCALE, ROTATE, SUBTRACT, MIX, STEP_IF_ODD, SCALE, SHIFT, ROTATE, COUNT_UP,
	                             SUBTRACT, ADD, SCALE, STEP_IF_ODD, MIX, SHIFT, COUNT_UP, ROTATE, SCALE, STOP};
	u32 a = 1, b = 2, c = 3, sum = 0;

	while (rounds-- > 0) {
		bool running = true;

		for (const u8 *pc = program; running; pc++)
			switch (*pc) {
			case ADD: a += b; break;
			case MIX: b ^= c; break;
			case SCALE: c = c * 5 + 1; break;
			case ROTATE: a = a << 3 | a >> 29; break;
			case SUBTRACT: b -= a; break;
			case STEP_IF_ODD: c += a & 1 ? 7 : 0; break;
			case SHIFT: c ^= a >> 5; break;
			case COUNT_UP: b += c & 0xff; break;
			case STOP: running = false; break;
			}
		sum += a ^ b ^ c;
	}
	return sum;
}

static u32 triple(u32 x) { return x * 3 + 1; }
static u32 rotate(u32 x) { return x >> 1 | x << 31; }
static u32 flip(u32 x) { return x ^ 0x5bd1e995; }
static u32 shrink(u32 x) { return x - (x >> 3); }

static u32 (*volatile const functions[4])(u32) = {triple, rotate, flip, shrink};

/* Which function comes next is known late. */
static u32 icall(u32 rounds)
{
	u32 x = 1;

	while (rounds-- > 0)
		x = functions[x >> 5 & 3](x);
	return x;
}

/* Tells numbers with a sign, a fraction and an exponent from other words, between commas. */
enum state { START, WHOLE, SIGN, FRACTION, EXPONENT, EXPONENT_SIGN, POWER, BAD };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_sign(char c)
{
	return c == '+' || c == '-';
}

static enum state after(enum state state, char c)
{
	switch (state) {
	case START: return is_digit(c) ? WHOLE : is_sign(c) ? SIGN : c == '.' ? FRACTION : c == ',' ? START : BAD;
	case WHOLE: return c == '.' ? FRACTION : c == ',' ? START : is_digit(c) ? WHOLE : BAD;
	case SIGN: return is_digit(c) ? WHOLE : c == '.' ? FRACTION : BAD;
	case FRACTION: return c == 'e' || c == 'E' ? EXPONENT : c == ',' ? START : is_digit(c) ? FRACTION : BAD;
	case EXPONENT: return is_sign(c) ? EXPONENT_SIGN : BAD;
	case EXPONENT_SIGN: return is_digit(c) ? POWER : BAD;
	case POWER: return c == ',' ? START : is_digit(c) ? POWER : BAD;
	default: return c == ',' ? START : BAD;
	}
}

static u32 state(u32 rounds)
{
	static const char text[] = "5012,1.234e+5,-874,+122,-35.54400,.1234500,-110.700,+0.64400,T0.3e-1F,-T.T++Tq,1T3.4e4z,34.0e-T^,"
	                           "5.500e+3,-.123e-2,-87e+832,+0.6e-12,";
	u32 length = sizeof(text) - 1, visits[8] = {0}, hash = 0;

	while (rounds-- > 0) {
		enum state now = START;

		for (u32 i = 0; i < length; i++) {
			char c = text[(i + rounds) % length];

			now = after(now, c);
			visits[now]++;
			hash = (hash ^ (u8)c) * 16777619; /* FNV's prime */
		}
	}
	for (u32 i = 0; i < COUNT(visits); i++)
		hash = hash * 31 + visits[i];
	return hash;
}

const struct test control_tests[] = {
	{"fib", fib, 20},
	{"list", list, 600},
	{"interp", interp, 6000000},
	{"icall", icall, 30000000},
	{"state", state, 250000},
	{0},
};
