/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is said of wrong Endpoints, EndpointSlices, Ingresses, IngressClasses and NetworkPolicies. */
#include "messages.h"

static const struct message_case cases[] = {
	/* Services: addresses, families, types */
	{
		"apiVersion: v1\n"
		"kind: Service\n"
		"metadata: {name: s}\n"
		"spec:\n"
		"  clusterIP: None\n"
		"  clusterIPs: [None]\n"
		"  ports: [{port: 80, targetPort: 0}, {name: a, port: 81, targetPort: \"\"}]\n",
		"t.yaml:7:11: spec.ports[0].name: missing; with several ports each needs a name\n"
	},
	{
		"apiVersion: v1\n"
		"kind: Service\n"
		"metadata: {name: s}\n"
		"spec:\n"
		"  clusterIP: 10.96.0.7\n"
		"  clusterIPs: [10.96.0.8, \"fd00::1\", 10.96.0.9]\n"
		"  ipFamilies: [IPv4, IPv4]\n"
		"  ports: [{port: 80}]\n",
		"t.yaml:6:15: spec.clusterIPs: 3 addresses; at most 2 are possible, one of each family\n"
		"t.yaml:6:16: spec.clusterIPs[0]: \"10.96.0.8\" is not clusterIP\n"
		"t.yaml:7:22: spec.ipFamilies[1]: IPv4 is already there\n"
	},
	{
		"apiVersion: v1\n"
		"kind: Service\n"
		"metadata: {name: s}\n"
		"spec:\n"
		"  clusterIP: fd00::1\n"
		"  ipFamilyPolicy: SingleStack\n"
		"  ipFamilies: [IPv4, IPv6]\n"
		"  ports: [{port: 80}]\n",
		"t.yaml:5:14: warning: spec.clusterIP: services have IPv4 addresses: one is chosen\n"
		"t.yaml:6:19: spec.ipFamilyPolicy: SingleStack does not fit two ipFamilies\n"
		"t.yaml:7:22: warning: spec.ipFamilies[1]: services have IPv4 addresses only\n"
	},
	{
		"apiVersion: v1\n"
		"kind: Service\n"
		"metadata: {name: s}\n"
		"spec:\n"
		"  ipFamilies: [IPv4, IPv6, ipv4]\n"
		"  ipFamilyPolicy: Dual\n"
		"  trafficDistribution: PreferClos\n"
		"  externalIPs: [127.0.0.1, 169.254.1.1, 0.0.0.0, 224.0.0.1, x, 192.0.2.7, \"2001:db8::1\"]\n"
		"  ports: [{port: 80, appProtocol: \"a b\"}]\n",
		"t.yaml:5:22: warning: spec.ipFamilies[1]: services have IPv4 addresses only\n"
		"t.yaml:5:28: spec.ipFamilies[2]: \"ipv4\" is not IPv4 or IPv6\n"
		"t.yaml:6:19: spec.ipFamilyPolicy: \"Dual\" is not SingleStack, PreferDualStack or RequireDualStack\n"
		"t.yaml:7:24: spec.trafficDistribution: \"PreferClos\" is not PreferClose, PreferSameZone or PreferSameNode; did you mean \"PreferClose\"?\n"
		"t.yaml:8:17: spec.externalIPs[0]: 127.0.0.1 is a loopback address\n"
		"t.yaml:8:28: spec.externalIPs[1]: 169.254.1.1 is a link-local address\n"
		"t.yaml:8:41: spec.externalIPs[2]: 0.0.0.0 is the unspecified address\n"
		"t.yaml:8:50: spec.externalIPs[3]: 224.0.0.1 is a multicast address\n"
		"t.yaml:8:61: spec.externalIPs[4]: \"x\" is no IP address\n"
		"t.yaml:8:75: warning: spec.externalIPs[6]: services have IPv4 addresses: this one is not acted on\n"
		"t.yaml:9:35: spec.ports[0].appProtocol: \"a b\" must be a name of at most 63 letters, digits, \"-\", \"_\" and \".\", beginning and ending with a letter or digit, after an optional DNS domain and \"/\"\n"
	},
	{
		"apiVersion: v1\n"
		"kind: Service\n"
		"metadata: {name: s}\n"
		"spec:\n"
		"  type: LoadBalancer\n"
		"  clusterIP: None\n"
		"  healthCheckNodePort: 31000\n"
		"  loadBalancerSourceRanges: [10.0.0.0, 10.0.0.0/33, 10.0.0.1/8]\n"
		"  ports: [{port: 80}]\n",
		"t.yaml:5:9: warning: spec.type: there is no load balancer: it acts as NodePort, and its external address stays pending\n"
		"t.yaml:6:14: spec.clusterIP: None is not possible with type LoadBalancer\n"
		"t.yaml:7:24: spec.healthCheckNodePort: is possible with type LoadBalancer and externalTrafficPolicy Local only\n"
		"t.yaml:7:24: warning: spec.healthCheckNodePort: known to Kubernetes, not acted on by orch\n"
		"t.yaml:8:29: warning: spec.loadBalancerSourceRanges: known to Kubernetes, not acted on by orch\n"
		"t.yaml:8:30: spec.loadBalancerSourceRanges[0]: \"10.0.0.0\" is no network like 10.0.0.0/8\n"
		"t.yaml:8:40: spec.loadBalancerSourceRanges[1]: \"10.0.0.0/33\" is no network like 10.0.0.0/8\n"
	},
	{
		"apiVersion: v1\n"
		"kind: Service\n"
		"metadata: {name: s}\n"
		"spec:\n"
		"  type: LoadBalancer\n"
		"  externalTrafficPolicy: Local\n"
		"  healthCheckNodePort: 31000\n"
		"  allocateLoadBalancerNodePorts: false\n"
		"  loadBalancerClass: example.com/x\n"
		"  ports: [{port: 80, nodePort: 30080}]\n",
		"t.yaml:5:9: warning: spec.type: there is no load balancer: it acts as NodePort, and its external address stays pending\n"
		"t.yaml:7:24: warning: spec.healthCheckNodePort: known to Kubernetes, not acted on by orch\n"
		"t.yaml:9:22: warning: spec.loadBalancerClass: known to Kubernetes, not acted on by orch\n"
	},
	{
		"apiVersion: v1\n"
		"kind: Service\n"
		"metadata: {name: s}\n"
		"spec:\n"
		"  type: NodePort\n"
		"  loadBalancerSourceRanges: [10.0.0.0/8]\n"
		"  loadBalancerClass: x\n"
		"  allocateLoadBalancerNodePorts: true\n"
		"  healthCheckNodePort: 31000\n"
		"  ports: [{port: 80}]\n",
		"t.yaml:6:29: spec.loadBalancerSourceRanges: is possible with type LoadBalancer only\n"
		"t.yaml:6:29: warning: spec.loadBalancerSourceRanges: known to Kubernetes, not acted on by orch\n"
		"t.yaml:7:22: spec.loadBalancerClass: is possible with type LoadBalancer only\n"
		"t.yaml:7:22: warning: spec.loadBalancerClass: known to Kubernetes, not acted on by orch\n"
		"t.yaml:8:34: spec.allocateLoadBalancerNodePorts: is possible with type LoadBalancer only\n"
		"t.yaml:9:24: spec.healthCheckNodePort: is possible with type LoadBalancer and externalTrafficPolicy Local only\n"
		"t.yaml:9:24: warning: spec.healthCheckNodePort: known to Kubernetes, not acted on by orch\n"
	},
	{
		"apiVersion: v1\n"
		"kind: Service\n"
		"metadata: {name: s}\n"
		"spec: {type: ExternalName}\n",
		"t.yaml:4:7: spec.externalName: missing; type ExternalName needs it\n"
		"t.yaml:4:14: warning: spec.type: there is no DNS server of orch yet that would answer with the name\n"
	},
	{
		"apiVersion: v1\n"
		"kind: Service\n"
		"metadata: {name: s}\n"
		"spec: {type: ExternalName, externalName: \"a_b.example.com\", clusterIP: 10.96.0.1}\n",
		"t.yaml:4:14: warning: spec.type: there is no DNS server of orch yet that would answer with the name\n"
		"t.yaml:4:42: spec.externalName: \"a_b.example.com\" must consist of lower-case letters, digits, \"-\" and \".\", and each part between dots begin and end with a letter or digit\n"
		"t.yaml:4:72: spec.clusterIP: is not possible with type ExternalName\n"
	},
	{
		"apiVersion: v1\n"
		"kind: Service\n"
		"metadata: {name: s}\n"
		"spec: {type: ExternalName, externalName: www.example.com.}\n",
		"t.yaml:4:14: warning: spec.type: there is no DNS server of orch yet that would answer with the name\n"
	},
	{
		"apiVersion: v1\n"
		"kind: Service\n"
		"metadata: {name: 1s}\n",
		"t.yaml:1:1: spec: missing; it is required\n"
		"t.yaml:3:18: metadata.name: \"1s\" must consist of lower-case letters, digits and \"-\", begin with a letter and end with a letter or digit\n"
	},
	/* Endpoints */
	{
		"apiVersion: v1\n"
		"kind: Endpoints\n"
		"metadata: {name: s}\n"
		"subsets:\n"
		"- addresses: [{ip: 192.0.2.1, nodeName: m}, {ip: 127.0.0.1}, {ip: \"fd00::1\"}, {hostname: a}]\n"
		"  ports: [{port: 80}]\n",
		"t.yaml:5:50: subsets[0].addresses[1].ip: 127.0.0.1 is a loopback address\n"
		"t.yaml:5:67: warning: subsets[0].addresses[2].ip: services have IPv4 addresses: this one is not acted on\n"
		"t.yaml:5:79: subsets[0].addresses[3].ip: missing; it is required\n"
		"t.yaml:5:90: warning: subsets[0].addresses[3].hostname: known to Kubernetes, not acted on by orch\n"
	},
	{
		"apiVersion: v1\n"
		"kind: Endpoints\n"
		"metadata: {name: s}\n"
		"subsets:\n"
		"- ports: [{port: 80}, {port: 70000, name: a}, {port: 1, name: a, protocol: tcp}]\n",
		"t.yaml:5:30: subsets[0].ports[1].port: 70000 is not in 1-65535\n"
		"t.yaml:5:76: subsets[0].ports[2].protocol: \"tcp\" is not TCP, UDP or SCTP; did you mean \"TCP\"?\n"
	},
	{
		"apiVersion: v1\n"
		"kind: Endpoints\n"
		"metadata: {name: s}\n"
		"subsets:\n"
		"- ports: [{port: 80}, {port: 7000, name: a}, {port: 1, name: a}]\n",
		"t.yaml:5:3: subsets[0].addresses: missing; addresses or notReadyAddresses are needed\n"
		"t.yaml:5:11: subsets[0].ports[0].name: missing; with several ports each needs a name\n"
		"t.yaml:5:62: subsets[0].ports[2].name: duplicate name \"a\"\n"
	},
	{
		"apiVersion: v1\n"
		"kind: Endpoints\n"
		"metadata: {name: s}\n"
		"subsets:\n"
		"- notReadyAddresses: [{ip: 192.0.2.1}]\n"
		"- addresses: [{ip: 192.0.2.1}]\n"
		"  ports: [{name: \"\", port: 80, protocol: UDP}]\n",
		""
	},
	/* EndpointSlices */
	{
		"apiVersion: discovery.k8s.io/v1\n"
		"kind: EndpointSlice\n"
		"metadata: {name: s, labels: {kubernetes.io/service-name: s}}\n"
		"addressType: IPv4\n"
		"endpoints:\n"
		"- addresses: [192.0.2.1]\n"
		"  conditions: {ready: true}\n"
		"  zone: a\n"
		"- addresses: [\"fd00::1\", 169.254.3.3, x]\n"
		"- addresses: []\n"
		"ports: [{port: 80}, {name: a, port: 0}]\n",
		"t.yaml:11:37: ports[1].port: 0 is not in 1-65535\n"
	},
	{
		"apiVersion: discovery.k8s.io/v1\n"
		"kind: EndpointSlice\n"
		"metadata: {name: s}\n"
		"addressType: IPv4\n"
		"endpoints: [{addresses: [\"fd00::1\", 169.254.3.3, x]}, {addresses: []}]\n",
		"t.yaml:5:26: endpoints[0].addresses[0]: fd00::1 is no IPv4 address\n"
		"t.yaml:5:37: endpoints[0].addresses[1]: 169.254.3.3 is a link-local address\n"
		"t.yaml:5:50: endpoints[0].addresses[2]: \"x\" is no IP address\n"
		"t.yaml:5:67: endpoints[1].addresses: must have at least one address\n"
	},
	{
		"apiVersion: discovery.k8s.io/v1\n"
		"kind: EndpointSlice\n"
		"metadata: {name: s}\n"
		"addressType: FQDN\n"
		"endpoints: [{addresses: [a.example.com, a_b]}]\n",
		"t.yaml:4:14: warning: addressType: services have IPv4 addresses: these endpoints are not acted on\n"
		"t.yaml:5:41: endpoints[0].addresses[1]: \"a_b\" must consist of lower-case letters, digits, \"-\" and \".\", and each part between dots begin and end with a letter or digit\n"
	},
	{
		"apiVersion: discovery.k8s.io/v1\n"
		"kind: EndpointSlice\n"
		"metadata: {name: s}\n"
		"addressType: IPV4\n"
		"endpoints: [{hostname: a}]\n",
		"t.yaml:4:14: addressType: \"IPV4\" is not IPv4, IPv6 or FQDN; did you mean \"IPv4\"?\n"
		"t.yaml:5:13: endpoints[0].addresses: missing; it is required\n"
		"t.yaml:5:24: warning: endpoints[0].hostname: known to Kubernetes, not acted on by orch\n"
	},
	{
		"apiVersion: discovery.k8s.io/v1\n"
		"kind: EndpointSlice\n"
		"metadata: {name: s}\n"
		"addressType: IPv4\n"
		"ports: [{port: 80}, {port: 81}]\n",
		"t.yaml:5:21: ports[1].name: duplicate name \"\"\n"
	},
	/* Ingresses */
	{
		"apiVersion: networking.k8s.io/v1\n"
		"kind: Ingress\n"
		"metadata: {name: i}\n"
		"spec:\n"
		"  ingressClassName: nginx\n"
		"  tls: [{hosts: [a.example.com, \"*.b.example.com\"], secretName: t}]\n"
		"  rules:\n"
		"  - host: \"*.example.com\"\n"
		"    http:\n"
		"      paths:\n"
		"      - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}\n"
		"      - {path: /a, pathType: Exact, backend: {service: {name: web, port: {name: http}}}}\n"
		"      - {pathType: ImplementationSpecific, backend: {resource: {kind: K, name: m}}}\n",
		""
	},
	{
		"apiVersion: networking.k8s.io/v1\n"
		"kind: Ingress\n"
		"metadata: {name: i}\n"
		"spec:\n"
		"  tls: [{hosts: [\"*.*.x\", 10.0.0.1]}]\n"
		"  rules:\n"
		"  - host: 10.0.0.1\n"
		"    http: {paths: []}\n"
		"  - host: \"a.*.b\"\n"
		"    http:\n"
		"      paths:\n"
		"      - {path: a, pathType: prefix, backend: {service: {name: web, port: {number: 0}}}}\n"
		"      - {path: /a, backend: {service: {name: 1web, port: {name: \"80\"}}}}\n",
		"t.yaml:5:18: spec.tls[0].hosts[0]: \"*.*.x\" must consist of lower-case letters, digits, \"-\" and \".\", and each part between dots begin and end with a letter or digit\n"
		"t.yaml:5:27: spec.tls[0].hosts[1]: 10.0.0.1 is an address; expected a DNS name\n"
		"t.yaml:7:11: spec.rules[0].host: 10.0.0.1 is an address; expected a DNS name\n"
		"t.yaml:8:19: spec.rules[0].http.paths: must have at least one path\n"
		"t.yaml:9:11: spec.rules[1].host: \"a.*.b\" must consist of lower-case letters, digits, \"-\" and \".\", and each part between dots begin and end with a letter or digit\n"
		"t.yaml:12:29: spec.rules[1].http.paths[0].pathType: \"prefix\" is not Exact, Prefix or ImplementationSpecific; did you mean \"Prefix\"?\n"
		"t.yaml:12:83: spec.rules[1].http.paths[0].backend.service.port.number: 0 is not in 1-65535\n"
		"t.yaml:13:9: spec.rules[1].http.paths[1].pathType: missing; it is required\n"
		"t.yaml:13:46: spec.rules[1].http.paths[1].backend.service.name: \"1web\" must consist of lower-case letters, digits and \"-\", begin with a letter and end with a letter or digit\n"
		"t.yaml:13:65: spec.rules[1].http.paths[1].backend.service.port.name: \"80\" must consist of lower-case letters, digits and single \"-\" between them, with at least one letter\n"
	},
	{
		"apiVersion: networking.k8s.io/v1\n"
		"kind: Ingress\n"
		"metadata: {name: i}\n"
		"spec:\n"
		"  rules:\n"
		"  - http:\n"
		"      paths:\n"
		"      - {path: a, pathType: Prefix, backend: {service: {name: web}}}\n"
		"      - {path: //a, pathType: Prefix, backend: {service: {name: web, port: {}}}}\n"
		"      - {path: /a/../b, pathType: Exact, backend: {service: {name: web, port: {name: a, number: 1}}}}\n"
		"      - {path: /a/., pathType: Exact, backend: {}}\n"
		"      - {path: /%2fa, pathType: Exact, backend: {service: {name: web, port: {number: 1}}, resource: {kind: K, name: m}}}\n"
		"      - {pathType: Exact, backend: {service: {name: web, port: {number: 1}}}}\n"
		"      - {path: a, pathType: ImplementationSpecific, backend: {service: {name: web, port: {number: 1}}}}\n"
		"      - {path: //a, pathType: ImplementationSpecific, backend: {service: {name: web, port: {number: 1}}}}\n",
		"t.yaml:8:16: spec.rules[0].http.paths[0].path: \"a\" is not an absolute path\n"
		"t.yaml:8:56: spec.rules[0].http.paths[0].backend.service.port: missing; a name or a number is needed\n"
		"t.yaml:9:16: spec.rules[0].http.paths[1].path: \"//a\" must not contain \"//\"\n"
		"t.yaml:9:76: spec.rules[0].http.paths[1].backend.service.port: missing; a name or a number is needed\n"
		"t.yaml:10:16: spec.rules[0].http.paths[2].path: \"/a/../b\" must not contain \"/../\"\n"
		"t.yaml:10:97: spec.rules[0].http.paths[2].backend.service.port.number: a port has a name or a number, not both\n"
		"t.yaml:11:16: spec.rules[0].http.paths[3].path: \"/a/.\" must not contain \"/.\"\n"
		"t.yaml:11:48: spec.rules[0].http.paths[3].backend: a service or a resource is needed\n"
		"t.yaml:12:16: spec.rules[0].http.paths[4].path: \"/%2fa\" must not contain \"%2f\"\n"
		"t.yaml:12:101: spec.rules[0].http.paths[4].backend.resource: a backend is a service or a resource, not both\n"
		"t.yaml:13:9: spec.rules[0].http.paths[5].path: missing; pathType Exact needs it\n"
		"t.yaml:14:16: spec.rules[0].http.paths[6].path: \"a\" is not an absolute path\n"
	},
	{
		"apiVersion: networking.k8s.io/v1\n"
		"kind: Ingress\n"
		"metadata: {name: i, annotations: {kubernetes.io/ingress.class: a}}\n"
		"spec: {ingressClassName: b}\n",
		"t.yaml:4:7: spec: rules or a defaultBackend are needed\n"
		"t.yaml:4:26: spec.ingressClassName: \"b\" is not what the annotation kubernetes.io/ingress.class says, \"a\"\n"
	},
	{
		"apiVersion: networking.k8s.io/v1\n"
		"kind: Ingress\n"
		"metadata: {name: i}\n"
		"spec:\n"
		"  backend: {serviceName: web, servicePort: 80}\n",
		"t.yaml:5:3: spec: rules or a defaultBackend are needed\n"
		"t.yaml:5:3: spec: unknown field \"backend\"\n"
	},
	/* IngressClasses */
	{
		"apiVersion: networking.k8s.io/v1\n"
		"kind: IngressClass\n"
		"metadata: {name: c}\n"
		"spec:\n"
		"  controller: nginx\n"
		"  parameters: {apiGroup: k8s.example.com/v1, kind: P, name: p, scope: Namespace}\n",
		"t.yaml:5:15: spec.controller: \"nginx\" is no name like example.com/ingress\n"
		"t.yaml:6:15: spec.parameters.namespace: missing; scope Namespace needs it\n"
		"t.yaml:6:26: warning: spec.parameters.apiGroup: \"k8s.example.com/v1\" is no API group like example.com\n"
	},
	{
		"apiVersion: networking.k8s.io/v1\n"
		"kind: IngressClass\n"
		"metadata: {name: c}\n"
		"spec:\n"
		"  controller: example.com/ingress\n"
		"  parameters: {kind: P, name: p, namespace: m}\n",
		"t.yaml:6:45: spec.parameters.namespace: is possible with scope Namespace only\n"
	},
	{
		"apiVersion: networking.k8s.io/v1\n"
		"kind: IngressClass\n"
		"metadata: {name: c, namespace: m}\n"
		"spec: {controller: \"a.b/c?d\"}\n",
		"t.yaml:3:32: warning: metadata.namespace: ignored: IngressClass is a kind without namespaces\n"
		"t.yaml:4:20: spec.controller: \"a.b/c?d\" is no name like example.com/ingress\n"
	},
	{
		"apiVersion: networking.k8s.io/v1\n"
		"kind: IngressClass\n"
		"metadata: {name: c}\n"
		"spec: {controller: a_b/c}\n",
		"t.yaml:4:20: spec.controller: \"a_b/c\" is no name like example.com/ingress\n"
	},
	/* NetworkPolicies */
	{
		"apiVersion: networking.k8s.io/v1\n"
		"kind: NetworkPolicy\n"
		"metadata: {name: p}\n"
		"spec:\n"
		"  podSelector: {}\n"
		"  policyTypes: [Ingress, Egress]\n"
		"  ingress:\n"
		"  - from: [{podSelector: {}}, {namespaceSelector: {matchLabels: {a: b}}, podSelector: {}}, {ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}]\n"
		"    ports: [{port: 80}, {port: http, protocol: UDP}, {port: 8000, endPort: 9000}, {}]\n"
		"  egress: [{}]\n",
		""
	},
	{
		"apiVersion: networking.k8s.io/v1\n"
		"kind: NetworkPolicy\n"
		"metadata: {name: p}\n"
		"spec:\n"
		"  podSelector: {matchExpressions: [{key: a, operator: in, values: [b]}]}\n"
		"  policyTypes: [Ingres, Egress, Egress]\n"
		"  ingress:\n"
		"  - from: [{}, {podSelector: {}, ipBlock: {cidr: 10.0.0.0/8}}, {ipBlock: {cidr: 10.0.0.0}}]\n"
		"    ports: [{port: 0}, {port: \"80\"}, {port: 70000}, {protocol: ICMP}, {endPort: 5}]\n",
		"t.yaml:5:55: spec.podSelector.matchExpressions[0].operator: \"in\" is not In, NotIn, Exists or DoesNotExist; did you mean \"In\"?\n"
		"t.yaml:6:17: spec.policyTypes[0]: \"Ingres\" is not Ingress or Egress; did you mean \"Ingress\"?\n"
		"t.yaml:8:12: spec.ingress[0].from[0]: podSelector, namespaceSelector or ipBlock is needed\n"
		"t.yaml:8:43: spec.ingress[0].from[1].ipBlock: stands alone, without selectors\n"
		"t.yaml:8:81: spec.ingress[0].from[2].ipBlock.cidr: \"10.0.0.0\" is no network like 10.0.0.0/8\n"
		"t.yaml:9:20: spec.ingress[0].ports[0].port: 0 is not in 1-65535\n"
		"t.yaml:9:31: spec.ingress[0].ports[1].port: \"80\" is the name of a port here; remove the quotes\n"
		"t.yaml:9:45: spec.ingress[0].ports[2].port: 70000 is not in 1-65535\n"
		"t.yaml:9:64: spec.ingress[0].ports[3].protocol: \"ICMP\" is not TCP, UDP or SCTP; did you mean \"TCP\"?\n"
		"t.yaml:9:81: spec.ingress[0].ports[4].endPort: needs a port that is a number\n"
	},
	{
		"apiVersion: networking.k8s.io/v1\n"
		"kind: NetworkPolicy\n"
		"metadata: {name: p}\n"
		"spec:\n"
		"  podSelector: {}\n"
		"  policyTypes: [Ingress, Egress, Egress]\n"
		"  egress:\n"
		"  - to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8, 11.0.0.0/16, \"fd00::/64\", x]}}, {ipBlock: {cidr: \"fd00::/8\", except: [\"fd00:1::/32\"]}}]\n"
		"    ports: [{port: http, endPort: 5}, {port: 80, endPort: 79}]\n",
		"t.yaml:6:16: spec.policyTypes: 3 directions; there are Ingress and Egress\n"
		"t.yaml:8:48: spec.egress[0].to[0].ipBlock.except[0]: 10.0.0.0/8 is not a part of 10.0.0.0/8\n"
		"t.yaml:8:60: spec.egress[0].to[0].ipBlock.except[1]: 11.0.0.0/16 is not a part of 10.0.0.0/8\n"
		"t.yaml:8:73: spec.egress[0].to[0].ipBlock.except[2]: fd00::/64 is not a part of 10.0.0.0/8\n"
		"t.yaml:8:86: spec.egress[0].to[0].ipBlock.except[3]: \"x\" is no network like 10.0.0.0/8\n"
		"t.yaml:9:35: spec.egress[0].ports[0].endPort: needs a port that is a number\n"
		"t.yaml:9:59: spec.egress[0].ports[1].endPort: 79 is less than port, 80\n"
	},
};

MESSAGES_TEST(test_messages, cases, 1)

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(test_messages) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
