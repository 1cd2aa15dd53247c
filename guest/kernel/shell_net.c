#include "kernel.h"
#include "net.h"
#include "shell.h"
#include "string.h"

enum { PING_SIZE = 56, PINGS = 4 };

void net_shell(int argc, const char **argv)
{
	(void)argc, (void)argv;
	if (net_card() == NULL)
		return kprintf("there is no network card\n");
	net_print();
}

void ping_shell(int argc, const char **argv)
{
	u32 address, count = PINGS, answered = 0, us;
	const char *end;

	if (argc > 2)
		count = min_u32(parse_number(argv[2], &end), 1000);
	if (argc < 2 || !parse_address(argv[1], &address))
		return kprintf("ping A.B.C.D [COUNT]\n");
	if (net_card() == NULL)
		return kprintf("there is no network card\n");
	for (u32 i = 1; i <= count; i++) {
		bool ok = net_ping(address, (u16)i, PING_SIZE, &us);
		if (ok)
			kprintf("%u bytes from " ADDRESS_FORMAT ": sequence %u, %u us\n", PING_SIZE, ADDRESS_ARGS(address), i, us);
		else
			kprintf("no answer from " ADDRESS_FORMAT ": sequence %u\n", ADDRESS_ARGS(address), i);
		answered += ok;
	}
	kprintf("%u sent, %u answered\n", count, answered);
}
