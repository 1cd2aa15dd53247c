#include "kernel.h"

u32 page_tables[PROCESSES][PAGED_PAGES] __attribute__((aligned(4096)));

static u8 frames[PAGED_PAGES - 1024][4096] __attribute__((aligned(4096)));
static u8 private_frames[PROCESSES][4096] __attribute__((aligned(4096)));
static u32 process, next_frame;
static bool failed;

/* --- calls and faults */

static void map(u32 page, const void *frame)
{
	page_tables[process][page] = (u32)frame | page_flags;
}

static void map_frames(void)
{
	for (u32 page = 0; page < COUNT(frames); page++)
		map(page, frames[page]);
}

static void unmap(void)
{
	for (u32 page = 0; page < PAGED_PAGES - 1; page++)
		if (page_tables[process][page] != 0) {
			page_tables[process][page] = 0;
			page_forget(PAGED + page * 4096);
		}
	next_frame = 0;
}

bool page_fault(u32 address)
{
	u32 page = (address - PAGED) / 4096;

	if (page >= PAGED_PAGES || page_tables[process][page] != 0)
		return false;
	if (page == PAGED_PAGES - 1) {
		map(page, private_frames[process]);
		return true;
	}
	if (next_frame == COUNT(frames))
		return false;
	memset(frames[next_frame], 0, 4096);
	map(page, frames[next_frame++]);
	return true;
}

static void yield(void)
{
	u32 from = process;

	process = !process;
	process_switch(from, process);
}

u32 system_call(u32 number, u32 argument)
{
	switch (number) {
	case CALL_EXIT: leave_user(argument);
	case CALL_NEXT: return argument + 1;
	case CALL_MAP: map_frames(); return 0;
	case CALL_UNMAP: unmap(); return 0;
	case CALL_SPAWN:
		memset(private_frames[1], 0, 4096);
		process_prepare(1, argument);
		return 0;
	case CALL_YIELD: yield(); return 0;
	default: fail("no such call", 0, number);
	}
}

/* --- the console */

static void print(const char *s)
{
	for (; *s; s++) {
		if (*s == '\n')
			console_put('\r');
		console_put(*s);
	}
}

static void print_decimal(u64 n)
{
	if (n >= 10)
		print_decimal(n / 10);
	console_put((char)('0' + n % 10));
}

static void print_hex(u32 n)
{
	for (int shift = 28; shift >= 0; shift -= 4)
		console_put("0123456789abcdef"[n >> shift & 15]);
}

static void print_event(const char *what, u32 where, u32 address)
{
	print(what);
	print(" at ");
	print_hex(where);
	print(", address ");
	print_hex(address);
	print("\n");
}

void fail(const char *what, u32 where, u32 address)
{
	print_event(what, where, address);
	failed = true;
	leave_user(0);
}

void panic(const char *what, u32 where, u32 address)
{
	print("panic: ");
	print_event(what, where, address);
	power_off();
}

/* --- the command line: b=GROUP,GROUP and divide=N */

static const struct group groups[] = {
	{"int", integer_tests}, {"int", control_tests}, {"fp", float_tests}, {"vec", vector_tests},
	{"mem", memory_tests},  {"os", system_tests},
};

/* What follows `key` at the start of a word, or NULL. */
static const char *option(const char *line, const char *key)
{
	for (bool start = true; *line; start = *line++ == ' ') {
		u32 n = 0;

		while (start && key[n] && line[n] == key[n])
			n++;
		if (n > 0 && !key[n])
			return line + n;
	}
	return NULL;
}

static bool in_list(const char *list, const char *name)
{
	for (;;) {
		u32 n = 0;

		while (name[n] && list[n] == name[n])
			n++;
		if (!name[n] && (!list[n] || list[n] == ',' || list[n] == ' '))
			return true;
		while (*list && *list != ',' && *list != ' ')
			list++;
		if (*list != ',')
			return false;
		list++;
	}
}

static u32 number(const char *digits)
{
	u32 n = 0;

	for (; *digits >= '0' && *digits <= '9'; digits++)
		n = n * 10 + (u32)(*digits - '0');
	return n;
}

static void run(const struct test *test, u32 rounds)
{
	print("@@B ");
	print(test->name);
	print("\n");
	failed = false;
	u64 start = microseconds();
	u32 checksum = enter_user(test->run, rounds);
	u64 taken = microseconds() - start;
	print("@@E ");
	print(test->name);
	print(" us=");
	print_decimal(taken);
	print(" chk=");
	if (failed)
		print("failed");
	else
		print_hex(checksum);
	print("\n");
	process = 0;
	unmap();
	take_nothing();
}

void kernel_main(const char *command_line)
{
	const char *list = option(command_line, "b="), *divide = option(command_line, "divide=");
	u32 divisor = divide == NULL ? 1 : number(divide);

	print("@@UP ");
	print_decimal(microseconds() / 1000000);
	print("\n");
	for (u32 g = 0; g < COUNT(groups); g++) {
		if (list != NULL && !in_list(list, groups[g].name))
			continue;
		if (groups[g].tests == vector_tests && !has_vectors())
			continue;
		for (const struct test *test = groups[g].tests; test->name != NULL; test++) {
			u32 rounds = divisor == 0 ? 1 : test->rounds / divisor;

			run(test, rounds == 0 ? 1 : rounds);
		}
	}
	print("@@DONE\n");
	power_off();
}
