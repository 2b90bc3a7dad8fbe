/* A closed-loop TCP load, one thread, epoll: the client of net.py.

     gcc -O2 -o load load.c
     ./load PORT CONNECTIONS SECONDS SIZE SERVER_PID [ACTIVE]

   Each of the ACTIVE connections (all, unless said) sends SIZE bytes, waits until all of them have come back,
   notes the time, and goes on. Prints one JSON line: requests a second, latencies in microseconds, the
   processor time that the server spent for each request. Ends by itself. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { STEPS = 64, OCTAVES = 32, MOST = 65536 };

static uint64_t histogram[STEPS * OCTAVES], counted;
static double longest;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* 64 steps for each factor of two, from one microsecond up. */
static void note(double us)
{
    int octave = 0;
    if (us > longest) longest = us;
    if (us < 1) us = 1;
    while (us >= 2 && octave < OCTAVES - 1) { us /= 2; octave++; }
    int step = (int)((us - 1) * STEPS);
    histogram[octave * STEPS + (step < STEPS ? step : STEPS - 1)]++;
    counted++;
}

static double quantile(double q)
{
    uint64_t want = (uint64_t)((double)counted * q), seen = 0;
    for (int i = 0; i < STEPS * OCTAVES; i++)
        if ((seen += histogram[i]) > want)
            return (double)(1u << (i / STEPS)) * (1 + (i % STEPS + 0.5) / STEPS);
    return longest;
}

/* Seconds on a processor of all threads of a process. */
static double cpu_of(int pid)
{
    char path[300], text[128];
    double sum = 0;
    struct dirent *entry;
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *tasks = opendir(path);
    if (!tasks) return 0;
    while ((entry = readdir(tasks))) {
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", pid, entry->d_name);
        FILE *file = fopen(path, "r");
        if (!file) continue;
        if (fgets(text, sizeof text, file)) sum += (double)strtoull(text, NULL, 10) * 1e-9;
        fclose(file);
    }
    closedir(tasks);
    return sum;
}

static long memory_of(int pid)
{
    char path[64], line[256];
    long kb = 0;
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    while (fgets(line, sizeof line, file))
        if (!strncmp(line, "VmRSS:", 6)) { kb = atol(line + 6); break; }
    fclose(file);
    return kb;
}

struct connection { int fd; int got; double sent; };

static char data[MOST];

static void ask(struct connection *c, int size)
{
    c->got = 0;
    c->sent = now();
    if (send(c->fd, data, (size_t)size, MSG_NOSIGNAL) != size) die("send");
}

int main(int argc, char **argv)
{
    if (argc < 6) {
        fprintf(stderr, "usage: load PORT CONNECTIONS SECONDS SIZE SERVER_PID [ACTIVE]\n");
        return 2;
    }
    int port = atoi(argv[1]), n = atoi(argv[2]), size = atoi(argv[4]), pid = atoi(argv[5]), one = 1;
    int active = argc > 6 ? atoi(argv[6]) : n;
    double seconds = atof(argv[3]), begun = now();
    if (size < 1 || size > MOST || n < 1 || active > n) { fprintf(stderr, "load: bad numbers\n"); return 2; }
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct connection *all = calloc((size_t)n, sizeof *all);
    int poll = epoll_create1(0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < n; i++) {
        all[i].fd = socket(AF_INET, SOCK_STREAM, 0);
        if (all[i].fd < 0 || connect(all[i].fd, (void *)&address, sizeof address)) die("connect");
        setsockopt(all[i].fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};
        if (epoll_ctl(poll, EPOLL_CTL_ADD, all[i].fd, &event)) die("epoll_ctl");
        if (i % 256 == 255) usleep(2000); /* no faster than a backlog takes */
    }
    double setup = now() - begun;
    usleep(200000);
    double cpu = cpu_of(pid), then = now(), end = then + seconds;
    for (int i = 0; i < active; i++) ask(&all[i], size);
    struct epoll_event events[512];
    while (now() < end) {
        int ready = epoll_wait(poll, events, 512, 1000);
        for (int i = 0; i < ready; i++) {
            struct connection *c = events[i].data.ptr;
            ssize_t got = recv(c->fd, data, sizeof data, MSG_DONTWAIT);
            if (got < 0 && errno == EAGAIN) continue;
            if (got <= 0) die("recv");
            if ((c->got += (int)got) < size) continue;
            note((now() - c->sent) * 1e6);
            ask(c, size);
        }
    }
    double took = now() - then;
    cpu = cpu_of(pid) - cpu;
    printf("{\"rps\": %.1f, \"p50_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f, \"server_us_per_req\": %.3f, "
           "\"server_cpu\": %.3f, \"rss_kb\": %ld, \"setup_s\": %.3f}\n",
           (double)counted / took, quantile(.5), quantile(.99), longest,
           counted ? cpu / (double)counted * 1e6 : 0.0, cpu / took, memory_of(pid), setup);
    return 0;
}
