// INT 10h and INT 16h: the display and keyboard of programs which know only the BIOS are whatever
// is at the other end of the first serial port. Where they write line after line it sees no escape
// sequences; where they put the cursor elsewhere first, those of a VT100 follow.
#include "pc.h"

#define COLUMNS 80
#define ROWS 25
#define TEXT_MODE 3  // 80 columns, 25 rows
#define CURSOR_SHAPE 0x0607

// BIOS data area
#define BDA_SERIAL ((volatile uint16 *)0x400)
#define BDA_EQUIPMENT ((volatile uint16 *)0x410)
#define BDA_MODE ((volatile uint8 *)0x449)
#define BDA_COLUMNS ((volatile uint16 *)0x44a)
#define BDA_CURSOR ((volatile uint8 *)0x450)  // of page 0: column, row
#define BDA_LAST_ROW ((volatile uint8 *)0x484)

#define ONE_SERIAL_PORT 0x0200
#define COLOUR_80 0x0020

static int shown_column, shown_row;  // where the terminal has its cursor
static int waiting = -1;  // a key that was looked at and not taken
static int listening;

void terminal_init(void) {
  *BDA_SERIAL = UART0_PORT;
  *BDA_EQUIPMENT = ONE_SERIAL_PORT | COLOUR_80;
  *BDA_MODE = TEXT_MODE;
  *BDA_COLUMNS = COLUMNS;
  *BDA_LAST_ROW = ROWS - 1;
}

uint16 terminal_equipment(void) {
  return *BDA_EQUIPMENT;
}

static void send_number(int n) {
  if (n >= 10)
    send_number(n / 10);
  console_send('0' + n % 10);
}

static void send_text(const char *s) {
  while (*s)
    console_send(*s++);
}

static void go_to(int column, int row) {
  if (column == shown_column && row == shown_row)
    return;
  send_text("\033[");
  send_number(row + 1);
  console_send(';');
  send_number(column + 1);
  console_send('H');
  shown_column = column;
  shown_row = row;
}

static void set_cursor(int column, int row) {
  BDA_CURSOR[0] = column;
  BDA_CURSOR[1] = row;
}

static void show(char c, int column, int row) {
  go_to(column, row);
  console_send(c);
  // behind the last column terminals differ
  shown_column = column + 1 < COLUMNS ? column + 1 : -1;
}

// The row below; at the bottom the terminal scrolls.
static int below(int row) {
  return row < ROWS - 1 ? row + 1 : row;
}

static void teletype(char c) {
  int column = BDA_CURSOR[0], row = BDA_CURSOR[1];
  if (c == '\r') {
    column = shown_column = 0;
    console_send(c);
  } else if (c == '\n') {
    go_to(column, row);
    row = shown_row = below(row);
    console_send(c);
  } else if (c == '\b') {
    go_to(column, row);
    if (column) {
      shown_column = --column;
      console_send(c);
    }
  } else if (c == '\a') {
    console_send(c);
  } else {
    show(c, column++, row);
    if (column == COLUMNS) {
      send_text("\r\n");
      column = shown_column = 0;
      row = shown_row = below(row);
    }
  }
  set_cursor(column, row);
}

static void clear(void) {
  send_text("\033[2J\033[H");
  shown_column = shown_row = 0;
}

void display_service(struct bios_frame *f) {
  int column = BDA_CURSOR[0], row = BDA_CURSOR[1];
  switch (f->eax >> 8 & 0xff) {
  case 0x00:  // set a mode: there is one
    clear();
    set_cursor(0, 0);
    return;
  case 0x02:
    set_cursor(f->edx & 0xff, f->edx >> 8 & 0xff);
    return;
  case 0x03:
    set_low(&f->edx, row << 8 | column);
    set_low(&f->ecx, CURSOR_SHAPE);
    return;
  case 0x06:
  case 0x07:  // by no lines: the window becomes empty
    if ((f->eax & 0xff) == 0 && (f->ecx & 0xffff) == 0)
      clear();
    return;
  case 0x08:
    set_low(&f->eax, ' ');  // a serial port cannot be asked
    return;
  case 0x09:
  case 0x0a:  // CX times, and the cursor stays
    for (uint32 i = 0; i < (f->ecx & 0xffff) && column < COLUMNS; i++)
      show(f->eax, column++, row);
    return;
  case 0x0e:
    teletype(f->eax);
    return;
  case 0x0f:
    set_low(&f->eax, COLUMNS << 8 | TEXT_MODE);
    set_low(&f->ebx, f->ebx & 0xff);
    return;
  }
}

// A key's scan code and character.
static uint16 key(char c) {
  switch (c) {
  case '\033':
    return 0x011b;
  case 0x7f:
  case '\b':
    return 0x0e08;
  case '\t':
    return 0x0f09;
  case '\r':
  case '\n':
    return 0x1c0d;
  case ' ':
    return 0x3920;
  }
  return (uint8)c;
}

void keyboard_service(struct bios_frame *f) {
  if (!listening) {
    console_listen();
    listening = 1;
  }
  switch (f->eax >> 8 & 0xff) {
  case 0x00:
  case 0x10:
    while (waiting < 0)
      waiting = console_receive();
    set_low(&f->eax, key(waiting));
    waiting = -1;
    return;
  case 0x01:
  case 0x11:
    if (waiting < 0)
      waiting = console_receive();
    if (waiting < 0) {
      f->flags |= FLAG_ZERO;
    } else {
      f->flags &= ~FLAG_ZERO;
      set_low(&f->eax, key(waiting));
    }
    return;
  case 0x02:
  case 0x12:  // no shift key is down
    set_low(&f->eax, f->eax & 0xff00);
    return;
  }
}
