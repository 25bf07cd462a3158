/*
 * Asks a tree's own Kconfig code many questions quickly: linked with the objects that scripts/kconfig/conf is made of,
 * it reads the Kconfig files once and forks for each question.
 *
 *   driver KCONFIG BASE
 *
 * Each line of standard input is a question, its parts separated by tabs: lines of a .config, which replace those of
 * BASE for the same symbols, and "?SYMBOL" for a value to tell. The answer is one line: a value for each "?", then "|",
 * then the symbols whose direct dependencies were reported as unmet, separated by tabs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "lkc.h"

#define MAX_PARTS 4096
static const char unmet[] = "WARNING: unmet direct dependencies detected for ";

/* The length of the name in "CONFIG_X=y" or "# CONFIG_X is not set", where it starts in *name; 0: neither. */
static size_t named(const char *line, const char **name)
{
	if (!strncmp(line, "# ", 2))
		line += 2;
	if (strncmp(line, "CONFIG_", 7))
		return 0;
	*name = line + 7;
	return strcspn(*name, "= \n");
}

static int replaced(const char *line, char **parts, int count)
{
	const char *name, *other;
	size_t length = named(line, &name);

	for (int i = 0; length && i < count; i++)
		if (named(parts[i], &other) == length && !strncmp(name, other, length))
			return 1;
	return 0;
}

static void answer(const char *base, char *question)
{
	char *parts[MAX_PARTS], line[65536], config[64], messages[64];
	const char *separator = "";
	int count = 0;
	FILE *in = fopen(base, "r"), *out;

	snprintf(config, sizeof(config), "question.%d", (int)getpid());
	snprintf(messages, sizeof(messages), "messages.%d", (int)getpid());
	out = fopen(config, "w");
	if (!in || !out || !freopen(messages, "w", stderr))
		exit(1);
	for (char *part = strtok(question, "\t\n"); part && count < MAX_PARTS; part = strtok(NULL, "\t\n"))
		parts[count++] = part;
	while (fgets(line, sizeof(line), in))
		if (!replaced(line, parts, count))
			fputs(line, out);
	for (int i = 0; i < count; i++)
		if (parts[i][0] != '?')
			fprintf(out, "%s\n", parts[i]);
	fclose(out);
	conf_read(config);
	for (int i = 0; i < count; i++) {
		struct symbol *symbol;

		if (parts[i][0] != '?')
			continue;
		symbol = sym_find(parts[i] + 1);
		if (symbol)
			sym_calc_value(symbol);
		printf("%s%s", separator, symbol ? sym_get_string_value(symbol) : "");
		separator = "\t";
	}
	printf("|");
	fflush(stderr);
	in = fopen(messages, "r");
	separator = "";
	while (in && fgets(line, sizeof(line), in))
		if (!strncmp(line, unmet, sizeof(unmet) - 1)) {
			line[strcspn(line, "\n")] = 0;
			printf("%s%s", separator, line + sizeof(unmet) - 1);
			separator = "\t";
		}
	printf("\n");
	fflush(stdout);
	unlink(config);
	unlink(messages);
	_exit(0);
}

int main(int argc, char **argv)
{
	static char question[1 << 20];

	if (argc != 3)
		return 2;
	conf_set_message_callback(NULL);
	conf_parse(argv[1]);
	while (fgets(question, sizeof(question), stdin)) {
		int status = 0;
		pid_t child;

		fflush(stdout);
		child = fork();
		if (child == 0)
			answer(argv[2], question);
		if (child < 0 || waitpid(child, &status, 0) < 0 || status) {
			printf("failed|\n");
			fflush(stdout);
		}
	}
	return 0;
}
