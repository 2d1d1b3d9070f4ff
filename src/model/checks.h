/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The checks that the .def files name. A field's check gets its value: for STR, ANY and elements
 * of STRS a const char *const *, for maps a pair, for other kinds the member. A type's check gets
 * the struct with its defaults. Each tells what is wrong and what was expected.
 */
#pragma once

#include "model/names.h"
#include "model/types.h"
#include "schema/check.h"

/* Complains about a child ("" for the value itself) that breaks the rule. */
void check_name(struct check *c, const char *child, enum name_rule rule, const char *s);
/* Does the mapping under check have this key, be it refused or not? */
bool check_present(const struct check *c, const char *key);

/* checks_name.c: names, keys, paths, addresses */
void check_dns_label(struct check *c, const void *value);
void check_namespace(struct check *c, const void *value);
void check_dns_subdomain(struct check *c, const void *value);
void check_not_empty(struct check *c, const void *value);
void check_some(struct check *c, const void *value);	/* LIST */
void check_object_name(struct check *c, const void *value);
void check_optional_object(struct check *c, const void *value);
void check_label(struct check *c, const void *value);
void check_label_key(struct check *c, const void *value);
void check_readiness_gate(struct check *c, const void *value);
void check_label_value(struct check *c, const void *value);
void check_annotation(struct check *c, const void *value);
void check_config_key(struct check *c, const void *value);
void check_env_name(struct check *c, const void *value);
void check_env_prefix(struct check *c, const void *value);
void check_port_name(struct check *c, const void *value);
void check_port(struct check *c, const void *value);
void check_http_header(struct check *c, const void *value);
void check_http_path(struct check *c, const void *value);
void check_http_text(struct check *c, const void *value);
void check_abs_path(struct check *c, const void *value);
void check_working_dir(struct check *c, const void *value);
void check_device_path(struct check *c, const void *value);
void check_sub_path(struct check *c, const void *value);
void check_item_path(struct check *c, const void *value);
void check_mount_path(struct check *c, const void *value);
void check_message_path(struct check *c, const void *value);
void check_host_path(struct check *c, const void *value);
void check_ip(struct check *c, const void *value);
void check_cidr(struct check *c, const void *value);
void check_meta(struct check *c, const void *obj);
void check_label_selector(struct check *c, const void *obj);

/* checks_container.c */
void check_v1(struct check *c, const void *value);
/* May field_path be shown in a variable, or in a file of a volume? */
void check_field_path(struct check *c, const char *child, const char *path, bool file);
void check_resource_field(struct check *c, const void *value);
void check_resource_selector(struct check *c, const void *obj);
void check_env_source(struct check *c, const void *obj);
void check_env_var(struct check *c, const void *obj);
void check_env_from(struct check *c, const void *obj);
void check_exec(struct check *c, const void *obj);
void check_lifecycle_handler(struct check *c, const void *obj);
void check_stop_signal(struct check *c, const void *value);
void check_probe(struct check *c, const void *obj);
void check_restart_codes(struct check *c, const void *obj);
void check_image(struct check *c, const void *value);
void check_container(struct check *c, const void *obj);

/* checks_resources.c */
void check_resource(struct check *c, const void *value);
void check_resources(struct check *c, const void *obj);
void check_resize_resource(struct check *c, const void *value);
void check_resize_policy(struct check *c, const char *at, const struct pod_spec *s, uint32_t i);

/* checks_privileges.c */
void check_capability(struct check *c, const void *value);
void check_seccomp(struct check *c, const void *obj);
void check_app_armor(struct check *c, const void *obj);
void check_security_context(struct check *c, const void *obj);
void check_sysctl_name(struct check *c, const void *value);
void check_unsafe_sysctl(struct check *c, const void *value);
void check_pod_security_context(struct check *c, const void *obj);

/* checks_volume.c */
void check_medium(struct check *c, const void *value);
void check_quantity_positive(struct check *c, const void *value);
void check_volume_mount(struct check *c, const void *obj);
void check_storage(struct check *c, const void *value);
void check_pvc_spec(struct check *c, const void *obj);
void check_cephfs(struct check *c, const void *obj);
void check_rbd(struct check *c, const void *obj);
void check_fc(struct check *c, const void *obj);
void check_flocker(struct check *c, const void *obj);
void check_iscsi(struct check *c, const void *obj);
void check_iqn(struct check *c, const void *value);
void check_nfs_path(struct check *c, const void *value);
void check_downward_file(struct check *c, const void *obj);
void check_trust_bundle(struct check *c, const void *obj);
void check_pod_certificate(struct check *c, const void *obj);
void check_projection(struct check *c, const void *obj);
void check_volume(struct check *c, const void *obj);

/* checks_scheduling.c */
void check_node_requirement(struct check *c, const void *obj);
void check_node_term(struct check *c, const void *obj);
void check_pod_term(struct check *c, const void *obj);
void check_toleration(struct check *c, const void *obj);
void check_spread(struct check *c, const void *obj);

/* checks_pod.c */
void check_dns_config(struct check *c, const void *obj);
void check_pod_os(struct check *c, const void *obj);
void check_pod_claim(struct check *c, const void *obj);
void check_host_override(struct check *c, const void *value);
void check_throttling(struct check *c, const void *value);
void check_duration(struct check *c, const void *value);
void check_eviction_amount(struct check *c, const void *value);	/* a pair of a setting */
void check_eviction_grace(struct check *c, const void *value);
void check_ephemeral(struct check *c, const void *value);
void check_pod_spec(struct check *c, const void *obj);
/* Names of volumes in volumeMounts of the specification at path; claims (may be NULL) are those
 * that a StatefulSet adds. Called for what has pods, since a template alone does not know its claims. */
void check_volume_mounts(struct check *c, const char *path, const struct pod_spec *s,
			 const struct strs *claims);
void check_pod(struct check *c, const void *obj);

/* checks_workload.c */
void check_int_or_percent(struct check *c, const void *value);
void check_max_unavailable(struct check *c, const void *value);
void check_some_unavailable(struct check *c, const void *value);
void check_service_name(struct check *c, const void *value);
void check_strategy(struct check *c, const void *obj);
void check_replicaset_spec(struct check *c, const void *obj);
void check_deployment_spec(struct check *c, const void *obj);
void check_replication_controller_spec(struct check *c, const void *obj);
void check_statefulset_strategy(struct check *c, const void *obj);
void check_statefulset_spec(struct check *c, const void *obj);
void check_daemonset_rolling_update(struct check *c, const void *obj);
void check_daemonset_spec(struct check *c, const void *obj);
void check_pod_template_object(struct check *c, const void *obj);

/* checks_batch.c */
void check_exit_codes(struct check *c, const void *obj);
void check_failure_rule(struct check *c, const void *obj);
void check_success_rule(struct check *c, const void *obj);
void check_indexes(struct check *c, const void *value);
void check_managed_by(struct check *c, const void *value);
void check_job_spec(struct check *c, const void *obj);
void check_job(struct check *c, const void *obj);
void check_schedule(struct check *c, const void *value);
void check_time_zone(struct check *c, const void *value);
void check_cronjob_spec(struct check *c, const void *obj);

/* checks_autoscale.c */
void check_tolerance(struct check *c, const void *value);
void check_metric_amount(struct check *c, const void *value);
void check_metric_name(struct check *c, const void *value);
void check_scaling_rules(struct check *c, const void *obj);
void check_metric_target(struct check *c, const void *obj);
void check_resource_metric(struct check *c, const void *obj);
void check_container_resource_metric(struct check *c, const void *obj);
void check_pods_metric(struct check *c, const void *obj);
void check_object_metric(struct check *c, const void *obj);
void check_external_metric(struct check *c, const void *obj);
void check_metric_spec(struct check *c, const void *obj);
void check_hpa_spec(struct check *c, const void *obj);
void check_pdb_spec(struct check *c, const void *obj);

/* checks_config.c: ConfigMaps, Secrets, the daemon's settings */
void check_config_pair(struct check *c, const void *value);
void check_config_bytes(struct check *c, const void *value);
void check_configmap(struct check *c, const void *obj);
void check_secret(struct check *c, const void *obj);
void check_reserved(struct check *c, const void *value);
void check_log_level(struct check *c, const void *value);
void check_cgroup_root(struct check *c, const void *value);
void check_registry_host(struct check *c, const void *value);
void check_registry_mirror(struct check *c, const void *value);
void check_image_policy(struct check *c, const void *obj);
void check_image_settings(struct check *c, const void *obj);
void check_userns_settings(struct check *c, const void *obj);
void check_settings(struct check *c, const void *obj);

/* checks_word.c */
bool check_word(struct check *c, const struct enum_type *of, const char *word);
void check_optional_label(struct check *c, const void *value);
void check_optional_subdomain(struct check *c, const void *value);
void check_label_1035(struct check *c, const void *value);

/* checks_address.c */
struct ip_net {
	uint8_t address[16];
	bool six;
	unsigned bits;
};
int ip_net_parse(const char *s, struct ip_net *ret);	/* 0 or -1 */
bool ip_net_within(const struct ip_net *in, const struct ip_net *out);	/* equal ones are */
/* Is it an address that other hosts can use? Complains if not. */
bool check_global_ip(struct check *c, const char *child, const char *text);
void check_network(struct check *c, const void *value);
void check_optional_network(struct check *c, const void *value);

/* checks_service.c: Services, Endpoints, EndpointSlices */
void check_service_type(struct check *c, const void *value);
void check_cluster_ip(struct check *c, const void *value);
void check_target_port(struct check *c, const void *value);
void check_external_ip(struct check *c, const void *value);
void check_external_name(struct check *c, const void *value);
void check_ip_family(struct check *c, const void *value);
void check_ip_family_policy(struct check *c, const void *value);
void check_service_spec(struct check *c, const void *obj);
void check_endpoint_ip(struct check *c, const void *value);
void check_endpoint_subset(struct check *c, const void *obj);
void check_endpointslice(struct check *c, const void *obj);

/* checks_network.c: Ingresses, IngressClasses, NetworkPolicies */
void check_ingress_host(struct check *c, const void *value);
void check_ingress_service(struct check *c, const void *obj);
void check_ingress_backend(struct check *c, const void *obj);
void check_ingress_path(struct check *c, const void *obj);
void check_ingress_http(struct check *c, const void *obj);
void check_ingress(struct check *c, const void *obj);
void check_controller(struct check *c, const void *value);
void check_class_parameters(struct check *c, const void *obj);
void check_policy_port(struct check *c, const void *obj);
void check_ip_block(struct check *c, const void *obj);
void check_policy_peer(struct check *c, const void *obj);
void check_policy_type(struct check *c, const void *value);
void check_network_policy(struct check *c, const void *obj);

/* checks_storage.c: PersistentVolumes, StorageClasses, and what claims share with them */
void check_access_mode(struct check *c, const void *value);
void check_access_modes(struct check *c, const struct strs *modes);
void check_storage_size(struct check *c, const char *child, const struct quantity *size);
void check_csi_driver(struct check *c, const void *value);
void check_local_path(struct check *c, const void *value);
void check_iscsi_pv(struct check *c, const void *obj);
void check_pv_spec(struct check *c, const void *obj);
void check_topology_requirement(struct check *c, const void *obj);
void check_provisioner(struct check *c, const void *value);
void check_parameter(struct check *c, const void *value);
void check_storage_class(struct check *c, const void *obj);

/* checks_policy.c: LimitRanges, ResourceQuotas, PriorityClasses, Nodes */
void check_quota_value(struct check *c, const void *value);
void check_quota(struct check *c, const void *value);
void check_limit_range_item(struct check *c, const void *obj);
void check_limit_range_spec(struct check *c, const void *obj);
void check_scope_requirement(struct check *c, const void *obj);
void check_quota_scope(struct check *c, const void *value);
void check_resource_quota_spec(struct check *c, const void *obj);
void check_priority_class(struct check *c, const void *obj);
void check_node_spec(struct check *c, const void *obj);

/* eviction.c: a soft threshold has a grace period, and the other way round */
void check_eviction(struct check *c, const struct settings *s);
