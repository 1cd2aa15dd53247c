#include "arch.h"
#include "kernel.h"
#include "layout.h"
#include "region.h"

/* The console, on a 16550 (PC16550D datasheet section 8). */
enum {
	UART_DATA = 0,
	UART_INTERRUPTS = 1,
	UART_FIFO = 2,
	UART_LINE_CONTROL = 3,
	UART_MODEM_CONTROL = 4,
	UART_LINE_STATUS = 5,

	INTERRUPT_RECEIVED = 1 << 0,
	INTERRUPT_SENT = 1 << 1,
	IDENTIFIED_SENT = 2,
	STATUS_READY = 1 << 0,
	STATUS_ROOM = 1 << 5,
	STATUS_IDLE = 1 << 6,
	FIFO_DEPTH = 16,
	BAUD = 115200,
};

static struct region uart;
static bool by_interrupt;
static u32 room; /* characters the transmit FIFO surely takes */

static char received[256];
static volatile u32 received_head, received_tail;

static bool receive(void)
{
	bool any = false;

	while (region_read(&uart, UART_LINE_STATUS, 1) & STATUS_READY) {
		char c = (char)region_read(&uart, UART_DATA, 1);
		if (received_head - received_tail < sizeof(received))
			received[received_head++ % sizeof(received)] = c;
		any = true;
	}
	return any;
}

void console_init(void)
{
	u32 divisor = UART0_CLOCK_HZ / 16 / BAUD;

	uart = arch_console_region();
	receive(); /* what was typed during boot: turning the FIFO on would empty it */
	region_write(&uart, UART_INTERRUPTS, 1, 0);
	region_write(&uart, UART_LINE_CONTROL, 1, 0x80); /* divisor latch */
	region_write(&uart, UART_DATA, 1, divisor & 0xff);
	region_write(&uart, UART_INTERRUPTS, 1, divisor >> 8);
	region_write(&uart, UART_LINE_CONTROL, 1, 3); /* 8 bits, no parity */
	region_write(&uart, UART_FIFO, 1, 7);         /* on, both emptied */
	region_write(&uart, UART_MODEM_CONTROL, 1, 0x0b); /* DTR, RTS, and OUT2, which lets the interrupt out on a PC */
}

/* Ending the wait for room is all that the transmit interrupt does; console_putc looks for itself. */
static bool interrupt(void *arg)
{
	bool sent;

	(void)arg;
	sent = (region_read(&uart, UART_FIFO, 1) & 0xf) == IDENTIFIED_SENT; /* and this read takes it back */
	return receive() || sent;
}

void console_interrupts(void)
{
	irq_register(arch_console_irq(), "uart", interrupt, NULL);
	region_write(&uart, UART_INTERRUPTS, 1, INTERRUPT_RECEIVED);
	by_interrupt = true;
}

static void wait_for(u32 status)
{
	if (by_interrupt && irq_enabled()) {
		u32 flags = irq_save();
		region_write(&uart, UART_INTERRUPTS, 1, INTERRUPT_RECEIVED | INTERRUPT_SENT);
		while (!(region_read(&uart, UART_LINE_STATUS, 1) & STATUS_ROOM))
			cpu_wait();
		region_write(&uart, UART_INTERRUPTS, 1, INTERRUPT_RECEIVED);
		irq_restore(flags);
	}
	/* With interrupts off (a panic), and for the shift register, which has no interrupt, there is only looking. */
	while (!(region_read(&uart, UART_LINE_STATUS, 1) & status))
		;
}

void console_putc(char c)
{
	if (c == '\n')
		console_putc('\r');
	if (room == 0) {
		if (!(region_read(&uart, UART_LINE_STATUS, 1) & STATUS_ROOM))
			wait_for(STATUS_ROOM);
		room = FIFO_DEPTH;
	}
	room--;
	region_write(&uart, UART_DATA, 1, (u8)c);
}

void console_flush(void)
{
	wait_for(STATUS_IDLE);
}

static bool has_input(void)
{
	return received_head != received_tail;
}

int console_getc(void)
{
	u32 flags = irq_save();
	u8 c;

	while (!has_input())
		cpu_wait();
	c = (u8)received[received_tail++ % sizeof(received)];
	irq_restore(flags);
	return c;
}
