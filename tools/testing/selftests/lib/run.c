// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test harness: main(), which runs each test in a child and reports in TAP.
 */
#include <fnmatch.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kmsg.h"
#include "run.h"

/* The linker's names for both ends of the section that TEST() fills. */
extern const struct test *const __start_selftests[];
extern const struct test *const __stop_selftests[];

struct test_shared *test_shared;

/* Time for a killed test to leave the kernel. */
#define KILL_GRACE	20

struct job {
	const struct test *test;
	const void *it;
	char name[128];
};

struct tally {
	unsigned int number;
	unsigned int failed;
};

static void job_set(struct job *job, const struct test *test, unsigned int i)
{
	job->test = test;
	job->it = test->cases ? (const char *)test->cases + i * test->size : NULL;
	if (job->it)
		snprintf(job->name, sizeof(job->name), "%s/%s", test->name,
			 *(const char *const *)job->it);
	else
		snprintf(job->name, sizeof(job->name), "%s", test->name);
}

static bool job_selected(const struct job *job, char **patterns)
{
	if (!*patterns)
		return true;
	for (; *patterns; patterns++) {
		if (!fnmatch(*patterns, job->name, 0) ||
		    !fnmatch(*patterns, job->test->name, 0))
			return true;
	}
	return false;
}

static unsigned int each_job(char **patterns,
			     void (*fn)(const struct job *job, void *data),
			     void *data)
{
	const struct test *const *entry;
	unsigned int i, found = 0;
	struct job job;

	for (entry = __start_selftests; entry < __stop_selftests; entry++) {
		for (i = 0; i < (*entry)->count; i++) {
			job_set(&job, *entry, i);
			if (!job_selected(&job, patterns))
				continue;
			found++;
			if (fn)
				fn(&job, data);
		}
	}
	return found;
}

static _Noreturn void child(const struct job *job)
{
	setpgid(0, 0);
	job->test->run(job->it);
	test_shared->finished = true;
	fflush(stdout);
	_exit(test_shared->failures ? OUTCOME_FAIL : OUTCOME_PASS);
}

static bool wait_child(pid_t pid, unsigned int seconds, int *status)
{
	const struct timespec nap = { .tv_nsec = 2000000 };
	struct timespec now, end;
	pid_t ret;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += seconds;
	do {
		ret = waitpid(pid, status, WNOHANG);
		if (ret)
			return ret > 0;
		nanosleep(&nap, NULL);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < end.tv_sec);
	return false;
}

/* A process that the kernel does not let go would spoil what comes after it. */
static void kill_child(pid_t pid, const struct job *job)
{
	int status;

	kill(-pid, SIGKILL);
	if (wait_child(pid, KILL_GRACE, &status))
		return;
	printf("Bail out! %s hangs in the kernel\n", job->name);
	fflush(stdout);
	kmsg_dump_blocked();
	_exit(OUTCOME_FAIL);
}

/* What a test leaves behind is ours then, and may still have a device open. */
static void reap_group(pid_t pid)
{
	int status;

	kill(-pid, SIGKILL);
	while (wait_child(-pid, KILL_GRACE, &status))
		;
}

static enum outcome judge(int status)
{
	if (WIFSIGNALED(status)) {
		test_note("died of signal %d (%s)", WTERMSIG(status),
			  strsignal(WTERMSIG(status)));
		return OUTCOME_FAIL;
	}
	if (WEXITSTATUS(status) == OUTCOME_PASS && !test_shared->finished) {
		test_note("exited halfway");
		return OUTCOME_FAIL;
	}
	return WEXITSTATUS(status);
}

static enum outcome job_run(const struct job *job)
{
	unsigned int limit = test_patience(job->test->timeout) * test_soak();
	time_t start = time(NULL), took;
	pid_t pid;
	int status;

	fflush(stdout);
	pid = fork();
	if (!pid)
		child(job);
	if (!wait_child(pid, limit, &status)) {
		test_note("no end after %u s", limit);
		kill_child(pid, job);
		return OUTCOME_FAIL;
	}
	reap_group(pid);
	took = time(NULL) - start;
	if (took > limit / 2)
		test_note("took %lld s, and may take %u", (long long)took, limit);
	return judge(status);
}

static void job_report(const struct job *job, void *data)
{
	struct tally *tally = data;
	enum outcome outcome;
	bool good;

	memset(test_shared, 0, sizeof(*test_shared));
	kmsg_mark(job->name);
	outcome = job_run(job);
	if (kmsg_faults())
		outcome = OUTCOME_FAIL;

	tally->number++;
	good = outcome == OUTCOME_PASS || outcome == OUTCOME_SKIP;
	tally->failed += !good;
	printf("%s %u - %s: %s", good ? "ok" : "not ok", tally->number,
	       program_invocation_short_name, job->name);
	if (outcome == OUTCOME_SKIP)
		printf(" # SKIP %s", test_shared->reason);
	printf("\n");
	fflush(stdout);
}

static void job_list(const struct job *job, void *data)
{
	(void)data;
	puts(job->name);
}

int main(int argc, char **argv)
{
	struct tally tally = { 0 };
	unsigned int planned;

	if (argc > 1 && !strcmp(argv[1], "-l"))
		return !each_job(argv + 2, job_list, NULL);

	test_shared = mmap(NULL, sizeof(*test_shared), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (test_shared == MAP_FAILED)
		return OUTCOME_FAIL;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	planned = each_job(argv + 1, NULL, NULL);
	if (!planned) {
		fprintf(stderr, "%s: no test has such a name\n", program_invocation_short_name);
		return OUTCOME_FAIL;
	}
	printf("TAP version 13\n1..%u\n", planned);
	each_job(argv + 1, job_report, &tally);
	return tally.failed ? OUTCOME_FAIL : OUTCOME_PASS;
}
