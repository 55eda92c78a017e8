{{- define "bearer-gate.istio" -}}
{{- if hasPrefix "istio-" .Values.platform }}yes{{ end -}}
{{- end -}}

{{- define "bearer-gate.labels" -}}
app.kubernetes.io/name: bearer-gate
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{/* What the schema cannot say. */}}
{{- define "bearer-gate.check" -}}
{{- if not .Values.config.providers }}
{{- fail "config: needs providers" }}
{{- end }}
{{- if and (include "bearer-gate.istio" .) (ne (.Values.config.share | default "process") "worker") }}
{{- fail "config: Istio gives all plugins the same vm_id, so any other module could write the shared keys; set share to worker" }}
{{- end }}
{{- end -}}
