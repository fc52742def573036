// SPDX-License-Identifier: GPL-2.0-only
/*
 * What goes on beside the machine that has the card's first virtual function: the
 * second is driven from here, and the physical function, if it is not a kernel's.
 * Each test runs until it is told to end.
 */
#include <net/if_arp.h>
#include <netinet/if_ether.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/igb.h"
#include "lib/lab.h"
#include "lib/tap.h"

/* Here the script that runs it says to stop, and this program how far it is. */
#define STOP_VF		"/tmp/stop-vf"
#define STOP_PF		"/tmp/stop-pf"
#define PF_READY	"/tmp/pf-ready"
#define PINGS		"/tmp/pings"

#define VFS		2
#define LIMIT		900
#define PACKET		2048
#define PAYLOAD		1400

static const uint8_t gateway[4] = { 10, 0, 2, 2 };
static const uint8_t self[4] = { 10, 0, 2, 77 };

struct arp {
	struct ether_header eth;
	struct ether_arp arp;
	uint8_t padding[18];
} __attribute__((packed));

struct ping {
	struct ether_header eth;
	struct iphdr ip;
	struct icmphdr icmp;
	uint8_t data[PAYLOAD];
} __attribute__((packed));

static void nap(unsigned int ms)
{
	const struct timespec time = { .tv_nsec = ms * 1000000 };

	nanosleep(&time, NULL);
}

static uint16_t checksum(const void *data, size_t len)
{
	const uint8_t *bytes = data;
	uint32_t sum = 0;
	size_t i;

	for (i = 0; i < len; i += 2)
		sum += bytes[i] | bytes[i + 1] << 8;
	sum = (sum & 0xffff) + (sum >> 16);
	return ~(sum + (sum >> 16));
}

static struct ether_header header(struct igb_vf *vf, const uint8_t *to,
				  uint16_t type)
{
	struct ether_header eth = { .ether_type = htons(type) };

	memcpy(eth.ether_dhost, to, ETH_ALEN);
	memcpy(eth.ether_shost, vf->mac, ETH_ALEN);
	return eth;
}

/* The next packet to @vf's own address of type @type. */
static void receive_own(struct igb_vf *vf, void *packet, uint16_t type)
{
	const struct ether_header *eth = packet;

	do {
		if (!igb_vf_receive(vf, packet, PACKET, 10000))
			FAIL("no answer to packet %u", vf->sent);
	} while (memcmp(eth->ether_dhost, vf->mac, ETH_ALEN) ||
		 eth->ether_type != htons(type));
}

static void find_gateway(struct igb_vf *vf, uint8_t mac[ETH_ALEN])
{
	static const uint8_t everybody[ETH_ALEN] = { 255, 255, 255, 255, 255, 255 };
	uint8_t packet[PACKET];
	struct arp *answer = (struct arp *)packet;
	struct arp ask = {
		.eth = header(vf, everybody, ETHERTYPE_ARP),
		.arp = {
			.arp_hrd = htons(ARPHRD_ETHER),
			.arp_pro = htons(ETHERTYPE_IP),
			.arp_hln = ETH_ALEN,
			.arp_pln = sizeof(self),
			.arp_op = htons(ARPOP_REQUEST),
		},
	};

	memcpy(ask.arp.arp_sha, vf->mac, ETH_ALEN);
	memcpy(ask.arp.arp_spa, self, sizeof(self));
	memcpy(ask.arp.arp_tpa, gateway, sizeof(gateway));
	igb_vf_send(vf, &ask, sizeof(ask));
	receive_own(vf, packet, ETHERTYPE_ARP);
	ASSERT_EQ(ntohs(answer->arp.arp_op), ARPOP_REPLY);
	ASSERT_MEMEQ(answer->arp.arp_spa, gateway, sizeof(gateway));
	memcpy(mac, answer->arp.arp_sha, ETH_ALEN);
}

static struct ping echo_request(struct igb_vf *vf, const uint8_t *to,
				uint16_t number)
{
	struct ping ping = {
		.eth = header(vf, to, ETHERTYPE_IP),
		.ip = {
			.version = 4,
			.ihl = 5,
			.tot_len = htons(sizeof(ping) - sizeof(ping.eth)),
			.ttl = 64,
			.protocol = IPPROTO_ICMP,
		},
		.icmp = {
			.type = ICMP_ECHO,
			.un.echo = { htons(0x7777), htons(number) },
		},
	};
	size_t i;

	for (i = 0; i < PAYLOAD; i++)
		ping.data[i] = random();
	memcpy(&ping.ip.saddr, self, sizeof(self));
	memcpy(&ping.ip.daddr, gateway, sizeof(gateway));
	ping.ip.check = checksum(&ping.ip, sizeof(ping.ip));
	ping.icmp.checksum = checksum(&ping.icmp, sizeof(ping.icmp) + PAYLOAD);
	return ping;
}

/* None is lost, and what comes back is what went out. */
static void exchange(struct igb_vf *vf, const uint8_t *to, uint16_t number)
{
	struct ping ping = echo_request(vf, to, number);
	uint8_t packet[PACKET];
	struct ping *answer = (struct ping *)packet;

	igb_vf_send(vf, &ping, sizeof(ping));
	receive_own(vf, packet, ETHERTYPE_IP);
	ASSERT_EQ(answer->icmp.type, ICMP_ECHOREPLY);
	ASSERT_EQ(ntohs(answer->icmp.un.echo.sequence), number);
	ASSERT_MEMEQ(answer->data, ping.data, PAYLOAD);
}

static void report(unsigned int pings)
{
	char text[16];

	snprintf(text, sizeof(text), "%u\n", pings);
	ASSERT_EQ(file_write(PINGS, text), 0);
}

TEST_LIMIT(second_function_exchanges_packets, LIMIT)
{
	uint8_t mac[ETH_ALEN];
	unsigned int pings = 0, i;
	char bdf[BDF_LEN];
	struct igb_vf vf;

	pci_vf(bdf, lab_bdf("igb"), 1);
	igb_vf_open(&vf, bdf, getenv("VF_TOKEN"));
	igb_vf_raise_all(&vf);
	for (i = 0; i < IGB_VECTORS; i++)
		ASSERT_GE(event_total(vf.events[i]), 1);
	find_gateway(&vf, mac);
	while (access(STOP_VF, F_OK)) {
		exchange(&vf, mac, pings++);
		report(pings);
		nap(30);
	}
	test_note("%u pings", pings);
	igb_vf_close(&vf);
}

TEST_LIMIT(physical_function_serves, LIMIT)
{
	struct vfio_dev pf;

	igb_pf_open(&pf, lab_bdf("igb"), getenv("VF_TOKEN"));
	fclose(fopen(PF_READY, "we"));
	while (access(STOP_PF, F_OK)) {
		igb_pf_serve(&pf, VFS);
		nap(5);
	}
	vfio_close(&pf);
}
