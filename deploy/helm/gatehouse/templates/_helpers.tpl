{{- define "gatehouse.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* 51 characters at most, so that `-operators` and `-clients` fit behind it. */}}
{{- define "gatehouse.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 51 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "gatehouse.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 51 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 51 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "gatehouse.selector" -}}
app.kubernetes.io/name: {{ include "gatehouse.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "gatehouse.gateway" -}}
{{ include "gatehouse.selector" . }}
app.kubernetes.io/component: gateway
{{- end -}}

{{- define "gatehouse.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "gatehouse.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | trunc 63 | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "gatehouse.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- define "gatehouse.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ .Values.serviceAccount.name | default (include "gatehouse.fullname" .) }}
{{- else -}}
{{ .Values.serviceAccount.name | default "default" }}
{{- end -}}
{{- end -}}

{{- define "gatehouse.configMap" -}}
{{ .Values.config.existingConfigMap | default (printf "%s-config" (include "gatehouse.fullname" .)) }}
{{- end -}}

{{/* Milliseconds of a duration such as 250ms, 1.5s or 1m. */}}
{{- define "gatehouse.ms" -}}
{{- $number := regexFind "^[0-9]+([.][0-9]+)?" . | float64 -}}
{{- $unit := regexFind "[a-z]+$" . -}}
{{- $size := get (dict "ms" 1.0 "s" 1000.0 "m" 60000.0 "h" 3600000.0) $unit -}}
{{- mulf $number $size | ceil | int64 -}}
{{- end -}}

{{/* When a gateway that drains ends by itself, whatever is under way: twice the delay, the timeout and 5 s; one more for its last lines. */}}
{{- define "gatehouse.leastGrace" -}}
{{- $delay := include "gatehouse.ms" .Values.drain.delay | int64 -}}
{{- $timeout := include "gatehouse.ms" .Values.drain.timeout | int64 -}}
{{- divf (add (mul 2 $delay) $timeout 6000) 1000 | ceil | int64 -}}
{{- end -}}

{{- define "gatehouse.grace" -}}
{{- $least := include "gatehouse.leastGrace" . | int64 -}}
{{- if kindIs "invalid" .Values.terminationGracePeriodSeconds -}}
{{- $least -}}
{{- else -}}
{{- .Values.terminationGracePeriodSeconds | int64 -}}
{{- end -}}
{{- end -}}

{{/* "yes" where there is a Redis. */}}
{{- define "gatehouse.hasRedis" -}}
{{- if or .Values.redis.url .Values.redis.urlSecret.name -}}yes{{- end -}}
{{- end -}}

{{/* "yes" where more than one pod may run. */}}
{{- define "gatehouse.isSeveral" -}}
{{- if .Values.autoscaling.enabled -}}
{{- if gt (int .Values.autoscaling.maxReplicas) 1 -}}yes{{- end -}}
{{- else if gt (int .Values.replicaCount) 1 -}}yes{{- end -}}
{{- end -}}
