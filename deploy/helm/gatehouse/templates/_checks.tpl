{{/* What would start and not be meant, or not start: all of it at once, each with the key. */}}
{{- define "gatehouse.checks" -}}
{{- $faults := list -}}
{{- $v := .Values -}}
{{- if and (not $v.config.text) (not $v.config.existingConfigMap) -}}
{{- $faults = append $faults "config.text: expected the configuration file, by --set-file config.text=gateway.yaml, or config.existingConfigMap" -}}
{{- end -}}
{{- if and $v.config.existingConfigMap (or $v.config.text $v.config.files $v.config.binaryFiles) -}}
{{- $faults = append $faults "config.existingConfigMap: expected no text, files or binaryFiles beside it, which would not be used" -}}
{{- end -}}
{{- if and $v.config.text (or (hasKey $v.config.files $v.config.key) (hasKey $v.config.binaryFiles $v.config.key)) -}}
{{- $faults = append $faults (printf "config.files: %s is what config.text is called" $v.config.key) -}}
{{- end -}}
{{- $least := include "gatehouse.leastGrace" . | int64 -}}
{{- $grace := include "gatehouse.grace" . | int64 -}}
{{- if lt $grace $least -}}
{{- $faults = append $faults (printf "terminationGracePeriodSeconds: expected %d at least, given %d: with drain.delay %s and drain.timeout %s a gateway may take that long to end, and would be killed with exchanges open; leave it out to have it computed" $least $grace $v.drain.delay $v.drain.timeout) -}}
{{- end -}}
{{- if gt (include "gatehouse.ms" $v.drain.delay | int64) 3600000 -}}
{{- $faults = append $faults "drain.delay: expected at most 1h" -}}
{{- end -}}
{{- if gt (include "gatehouse.ms" $v.drain.timeout | int64) 3600000 -}}
{{- $faults = append $faults "drain.timeout: expected at most 1h" -}}
{{- end -}}
{{- $isSplit := or (eq (include "gatehouse.isSeveral" .) "yes") (eq (toString $v.workers) "auto") (and (ne (toString $v.workers) "auto") (gt (int $v.workers) 1)) -}}
{{- $hasRedis := eq (include "gatehouse.hasRedis" .) "yes" -}}
{{- $manyWorkers := or (eq (toString $v.workers) "auto") (gt (int $v.workers) 1) -}}
{{- if and $isSplit (not $hasRedis) (or $v.redis.required $manyWorkers) -}}
{{- if $manyWorkers -}}
{{- $faults = append $faults "workers: expected redis.url or redis.urlSecret.name beside more than one worker: the gateway does not start without" -}}
{{- else -}}
{{- $faults = append $faults "redis: expected redis.url or redis.urlSecret.name beside more than one pod: each would count limits, quotas and revocations for itself; redis.required=false accepts that" -}}
{{- end -}}
{{- end -}}
{{- if and $v.redis.url $v.redis.urlSecret.name -}}
{{- $faults = append $faults "redis.urlSecret: expected one of redis.url and redis.urlSecret" -}}
{{- end -}}
{{- if regexMatch "//[^/@]*:[^/@]+@" $v.redis.url -}}
{{- $faults = append $faults "redis.url: expected no password in it, which everybody could read who sees the Deployment: name a Secret by redis.passwordSecret.name or redis.urlSecret.name" -}}
{{- end -}}
{{- if and (not $hasRedis) (or $v.redis.passwordSecret.name $v.redis.sentinel.username $v.redis.sentinel.passwordSecret.name $v.redis.tls.secretName) -}}
{{- $faults = append $faults "redis: expected redis.url or redis.urlSecret.name beside its passwords and certificates" -}}
{{- end -}}
{{- if and $v.redis.url $v.redis.tls.secretName (not (hasPrefix "rediss" $v.redis.url)) -}}
{{- $faults = append $faults "redis.tls: expected redis.url to begin with rediss, which is with TLS" -}}
{{- end -}}
{{- if and $v.redis.url (or $v.redis.sentinel.username $v.redis.sentinel.passwordSecret.name) (not (contains "+sentinel:" $v.redis.url)) -}}
{{- $faults = append $faults "redis.sentinel: expected redis.url to begin with redis+sentinel or rediss+sentinel" -}}
{{- end -}}
{{- if and $v.redis.tls.clientCertificate (not $v.redis.tls.secretName) -}}
{{- $faults = append $faults "redis.tls.clientCertificate: expected redis.tls.secretName, with tls.crt and tls.key" -}}
{{- end -}}
{{/* Fails closed: beyond loopback whoever reaches the port could give orders. */}}
{{- if and $v.admin.exposed (not $v.admin.tokensSecret.name) -}}
{{- $faults = append $faults "admin.tokensSecret.name: expected a Secret with the file of tokens beside admin.exposed: npx gatehouse admin-token --name prometheus --role read --add tokens.yaml --out prometheus.token, then kubectl create secret generic gatehouse-operators --from-file=tokens.yaml" -}}
{{- end -}}
{{- if and $v.admin.tls.clientCa (not $v.admin.tls.secretName) -}}
{{- $faults = append $faults "admin.tls.clientCa: expected admin.tls.secretName, with ca.crt" -}}
{{- end -}}
{{- if and $v.serviceMonitor.enabled (not $v.admin.exposed) -}}
{{- $faults = append $faults "serviceMonitor.enabled: expected admin.exposed, without which nobody reaches /metrics" -}}
{{- end -}}
{{- if and $v.serviceMonitor.enabled (not $v.serviceMonitor.tokenSecret.name) (not $v.admin.tls.clientCa) -}}
{{- $faults = append $faults "serviceMonitor.tokenSecret.name: expected a Secret with a token of the role read" -}}
{{- end -}}
{{- if and $v.serviceMonitor.enabled $v.networkPolicy.enabled (not $v.networkPolicy.operators) -}}
{{- $faults = append $faults "networkPolicy.operators: expected who may call the operators' listener, such as your Prometheus, beside serviceMonitor.enabled" -}}
{{- end -}}
{{- if $v.autoscaling.enabled -}}
{{- if gt (int $v.autoscaling.minReplicas) (int $v.autoscaling.maxReplicas) -}}
{{- $faults = append $faults "autoscaling.minReplicas: expected no more than autoscaling.maxReplicas" -}}
{{- end -}}
{{- if and (kindIs "invalid" $v.autoscaling.cpu) (kindIs "invalid" $v.autoscaling.requestsInFlight) -}}
{{- $faults = append $faults "autoscaling: expected cpu or requestsInFlight" -}}
{{- end -}}
{{- if and (not (kindIs "invalid" $v.autoscaling.cpu)) (not (dig "requests" "cpu" "" (dict "requests" $v.resources.requests))) -}}
{{- $faults = append $faults "autoscaling.cpu: expected resources.requests.cpu, of which it is a part" -}}
{{- end -}}
{{- if and (not (kindIs "invalid" $v.autoscaling.requestsInFlight)) (not $v.admin.exposed) -}}
{{- $faults = append $faults "autoscaling.requestsInFlight: expected admin.exposed, without which nobody reads that metric" -}}
{{- end -}}
{{- end -}}
{{- if and (or $v.rbac.rules $v.rbac.clusterRules) (not $v.rbac.create) -}}
{{- $faults = append $faults "rbac.rules: expected rbac.create beside rules, which are not granted without" -}}
{{- end -}}
{{- $ports := list "http" "operators" -}}
{{- range $v.service.extraPorts -}}
{{- if has .name $ports -}}
{{- $faults = append $faults (printf "service.extraPorts: expected names that differ, also from http and operators; %s is there twice" .name) -}}
{{- end -}}
{{- $ports = append $ports .name -}}
{{/* Fails closed: the Service for clients, and the NetworkPolicy that lets everybody in, are for no order to the gateway. */}}
{{- if eq (int .targetPort) (int $v.admin.port) -}}
{{- $faults = append $faults (printf "service.extraPorts: %s leads to admin.port, the operators' listener, and would let in whoever may call the gateway; admin.exposed has a Service of its own for it" .name) -}}
{{- end -}}
{{- end -}}
{{- if not (has $v.probes.port (without $ports "operators")) -}}
{{- $faults = append $faults (printf "probes.port: expected http or a name of service.extraPorts, given %s" $v.probes.port) -}}
{{- end -}}
{{- if eq (int $v.port) (int $v.admin.port) -}}
{{- $faults = append $faults "admin.port: expected another port than port" -}}
{{- end -}}
{{- $own := include "gatehouse.ownVariables" . | splitList " " -}}
{{- range $v.env -}}
{{- if has .name $own -}}
{{- $faults = append $faults (printf "env: %s is set by a value of its own" .name) -}}
{{- end -}}
{{- end -}}
{{- if $faults -}}
{{- fail (printf "\n\n  %s\n" (join "\n  " $faults)) -}}
{{- end -}}
{{- end -}}

{{/* Variables that values of their own say. */}}
{{- define "gatehouse.ownVariables" -}}
PORT HOST ADMIN_PORT ADMIN_HOST ADMIN_TOKENS_FILE ADMIN_CERT_FILE ADMIN_KEY_FILE ADMIN_CLIENT_CA_FILE ADMIN_HOSTS REDIS_URL REDIS_URL_FILE REDIS_PASSWORD_FILE REDIS_CA_FILE REDIS_CERT_FILE REDIS_KEY_FILE REDIS_SERVER_NAME REDIS_SENTINEL_USERNAME REDIS_SENTINEL_PASSWORD_FILE REDIS_TIMEOUT LOG_LEVEL GATEHOUSE_CONFIG GATEHOUSE_MODULES GATEHOUSE_WATCH NODE_ENV WORKERS DRAIN_DELAY SHUTDOWN_TIMEOUT
{{- end -}}
