#include "arch.h"
#include "kernel.h"
#include "pci.h"
#include "shell.h"
#include "string.h"
#include "virtio.h"

/* A line, its words, a table of commands. */

enum { LINE = 128, CONTROL_D = 4, CONTROL_U = 21, BACKSPACE = 8, DELETE = 127 };

static void help(int argc, const char **argv);

static void lspci(int argc, const char **argv)
{
	(void)argc, (void)argv;
	pci_print();
}

static void virtio(int argc, const char **argv)
{
	(void)argc, (void)argv;
	if (virtio_count == 0)
		kprintf("no virtio devices\n");
	for (int i = 0; i < virtio_count; i++)
		virtio_print(&virtio_devices[i]);
}

static void irq(int argc, const char **argv)
{
	(void)argc, (void)argv;
	irq_print();
}

static void mem(int argc, const char **argv)
{
	(void)argc, (void)argv;
	for (int i = 0; i < boot.ram_count; i++)
		kprintf("  %08llx-%08llx\n", boot.ram[i].base, boot.ram[i].base + boot.ram[i].size - 1);
	kprintf("  %u pages, %u free\n", pages_total(), pages_free());
}

static bool number(const char *word, u32 *value)
{
	const char *end;

	*value = parse_number(word, &end);
	if (end != word && *end == 0)
		return true;
	kprintf("%s is not a number\n", word);
	return false;
}

struct access {
	u32 address, value;
	bool write;
};

static void access_memory(void *arg)
{
	struct access *a = arg;
	volatile u32 *at = (volatile u32 *)(uintptr_t)a->address;

	if (a->write)
		*at = a->value;
	else
		a->value = *at;
}

/* Wherever it points: a fault comes back here. */
static void access_caught(struct access *a)
{
	struct trap_info info;

	if (trap_catch(access_memory, a, &info))
		kprintf("trap %u, error %x at %08x\n", info.vector, info.error, info.address);
	else if (!a->write)
		kprintf("%08x: %08x\n", a->address, a->value);
}

static void peek(int argc, const char **argv)
{
	struct access a = {0, 0, false};
	u32 count = 1;

	if (argc < 2 || !number(argv[1], &a.address) || (argc > 2 && !number(argv[2], &count)))
		return kprintf("peek ADDRESS [WORDS]\n");
	for (count = min_u32(count, 64); count > 0; count--, a.address += 4)
		access_caught(&a);
}

static void poke(int argc, const char **argv)
{
	struct access a = {0, 0, true};

	if (argc != 3 || !number(argv[1], &a.address) || !number(argv[2], &a.value))
		return kprintf("poke ADDRESS VALUE\n");
	access_caught(&a);
}

static void fault(void *arg)
{
	(void)arg;
	arch_fault();
}

/* "trap" comes back; "trap panic" shows what an unexpected one looks like. */
static void trap_command(int argc, const char **argv)
{
	struct trap_info info;

	if (argc > 1 && strcmp(argv[1], "panic") == 0)
		arch_fault();
	if (trap_catch(fault, NULL, &info))
		kprintf("caught trap %u, error %x, address %08x, at %08x\n", info.vector, info.error, info.address, info.pc);
	else
		kprintf("no trap came\n");
}

static void reboot(int argc, const char **argv)
{
	(void)argc, (void)argv;
	console_flush();
	arch_reboot();
}

static void poweroff(int argc, const char **argv)
{
	(void)argc, (void)argv;
	console_flush();
	arch_poweroff();
}

static const struct {
	const char *name;
	void (*run)(int argc, const char **argv);
	const char *help;
} commands[] = {
	{"help", help, "this list"},
	{"lspci", lspci, "PCI functions and their BARs"},
	{"virtio", virtio, "virtio devices: layout, regions, rings, vectors"},
	{"irq", irq, "interrupts by number"},
	{"blk", blk_command, "blk read SECTOR [COUNT] | write SECTOR WORD | bench [REQUESTS]"},
	{"net", net_shell, "the network card, what it has carried, who is near"},
	{"ping", ping_shell, "ping A.B.C.D [COUNT]"},
	{"mem", mem, "memory map and free pages"},
	{"peek", peek, "peek ADDRESS [WORDS]"},
	{"poke", poke, "poke ADDRESS VALUE"},
	{"trap", trap_command, "take a fault and come back; trap panic: and do not"},
	{"reboot", reboot, "reset the machine"},
	{"poweroff", poweroff, "turn it off (control-D does too)"},
};

static void help(int argc, const char **argv)
{
	(void)argc, (void)argv;
	for (u32 i = 0; i < COUNT(commands); i++)
		kprintf("  %-9s %s\n", commands[i].name, commands[i].help);
}

/* False at the end of input. */
static bool read_line(char *line)
{
	u32 n = 0;

	for (;;) {
		int c = console_getc();
		if (c == CONTROL_D && n == 0)
			return false;
		if (c == '\r' || c == '\n') {
			kprintf("\n");
			line[n] = 0;
			return true;
		}
		if ((c == BACKSPACE || c == DELETE) && n > 0) {
			n--;
			kprintf("\b \b");
		} else if (c == CONTROL_U) {
			for (; n > 0; n--)
				kprintf("\b \b");
		} else if (c >= ' ' && c < DELETE && n < LINE - 1) {
			line[n++] = (char)c;
			console_putc((char)c);
		}
	}
}

static int split(char *line, const char **words, int most)
{
	int n = 0;

	for (char *at = line; *at != 0 && n < most;) {
		while (*at == ' ')
			*at++ = 0;
		if (*at == 0)
			break;
		words[n++] = at;
		while (*at != 0 && *at != ' ')
			at++;
	}
	return n;
}

static void run(char *line)
{
	const char *argv[8];
	int argc = split(line, argv, COUNT(argv));

	if (argc == 0)
		return;
	for (u32 i = 0; i < COUNT(commands); i++)
		if (strcmp(argv[0], commands[i].name) == 0)
			return commands[i].run(argc, argv);
	kprintf("%s: no such command; help lists them\n", argv[0]);
}

void shell(void)
{
	char line[LINE];

	kprintf("\nhelp lists the commands, control-D powers off\n");
	for (;;) {
		kprintf("barzero> ");
		if (!read_line(line))
			break;
		run(line);
	}
	kprintf("\n");
	poweroff(0, NULL);
	__builtin_unreachable();
}
