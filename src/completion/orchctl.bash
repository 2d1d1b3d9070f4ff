# SPDX-License-Identifier: GPL-2.0-or-later
# Bash completion of orchctl(1). Verbs and options come from orchctl's own help, kinds from
# api-resources, names from the daemon: nothing here has to be kept in step.

_orchctl_verbs() {
	orchctl --help 2>/dev/null | sed -n 's/^  \([a-z-]*\)  .*/\1/p'
}

_orchctl_options() {
	orchctl "$1" --help 2>/dev/null |
		sed -n 's/^  \(-[a-zA-Z]\), \(--[a-z-]*\) .*/\1 \2/p; s/^ *\(--[a-z-]*\) .*/\1/p'
}

_orchctl_kinds() {
	orchctl api-resources 2>/dev/null | awk 'NR > 1 { print $1 }'
}

# _orchctl_names TYPE: with the options of the line that choose instance and namespace
_orchctl_names() {
	local i where=()
	for ((i = 2; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-n | --namespace | --socket) where+=("${COMP_WORDS[i]}" "${COMP_WORDS[i + 1]}") ;;
		esac
	done
	orchctl get "$1" -o name "${where[@]}" 2>/dev/null | sed 's,.*/,,'
}

# The words of the line that are no options and no options' values, after the verb.
_orchctl_arguments() {
	local i
	for ((i = 2; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-n | --namespace | --socket | -o | --output | -l | --selector | -c | --container | \
		--timeout | --since | --since-time | --tail | --limit-bytes | --address | --image | --target | --max-log-requests | -u | --username | --for | --stack | --out | --with | -f | --filename)
			[[ ${COMP_WORDS[1]} == logs && ${COMP_WORDS[i]} == -f ]] || ((i++)) ;;
		-*) ;;
		*) printf '%s\n' "${COMP_WORDS[i]}" ;;
		esac
	done
}

_orchctl() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local verb=${COMP_WORDS[1]} words type args
	mapfile -t args < <(_orchctl_arguments)
	COMPREPLY=()

	if ((COMP_CWORD == 1)); then
		words=$(_orchctl_verbs)
	elif [[ $cur == -* ]]; then
		words=$(_orchctl_options "$verb")
	elif [[ $prev == -n || $prev == --namespace ]]; then
		words=$(_orchctl_names namespaces)
	elif [[ $prev == -o || $prev == --output ]]; then
		words="table wide yaml json name jsonpath= custom-columns="
	elif [[ $prev == --for ]]; then
		words="condition= delete jsonpath="
	elif [[ $cur == */* ]]; then
		type=${cur%%/*}
		words=$(_orchctl_names "$type" | sed "s,^,$type/,")
	else
		case $verb in
		get | describe | wait)
			if ((${#args[@]})); then words=$(_orchctl_names "${args[0]}"); else words=$(_orchctl_kinds); fi ;;
		logs | exec | attach | debug | port-forward)
			words=$(_orchctl_names pods) ;;
		rollout)
			case ${#args[@]} in
			0) words="status history undo pause resume restart unhold" ;;
			1) words=$(_orchctl_names deployments | sed 's,^,deployment/,') ;;
			*) words=$(_orchctl_names "${args[1]}") ;;
			esac ;;
		cp) words=$(_orchctl_names pods | sed 's/$/:/') ;;
		top)
			if ((${#args[@]})); then words=$(_orchctl_names "${args[0]}"); else words="pod node"; fi ;;
		explain) words=$(_orchctl_kinds) ;;
		history) words=show ;;
		image)
			case ${#args[@]} in
			0) words="ls pull inspect rm prune import export login logout" ;;
			*) words=$(orchctl image ls -o name 2>/dev/null) ;;
			esac ;;
		completion) words=bash ;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
	if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]]; then
		compopt -o nospace 2>/dev/null
	fi
}

complete -o default -F _orchctl orchctl
