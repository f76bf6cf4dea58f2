package corosync

import (
	"fmt"
	"slices"
	"strconv"
)

// sectionEnd is PARSER_CB_SECTION_END: what waited for the whole section is stored.
func (p *parser) sectionEnd(path string, st state) *Problem {
	switch {
	case st == stateNode && path == "nodelist.node":
		p.node++
	case st == stateInterface && path == "totem.interface":
		return p.endInterface()
	case st == stateLogger && path == "logging.logger_subsys":
		if p.subsys == nil {
			return p.fail(path, "no subsys key", "say which subsystem this section is about, for example `subsys: TOTEM`")
		}
		return p.endLogger(fmt.Sprintf("logging.logger_subsys.%s.", *p.subsys), *p.subsys, "subsys")
	case st == stateDaemonLog && path == "logging.logging_daemon":
		return p.endDaemonLog(path)
	}
	return nil
}

func (p *parser) endInterface() *Problem {
	defer clear(p.iface)
	p.sections[p.numbered] = p.line
	for _, key := range interfaceKeys() {
		v, ok := p.iface[key]
		if !ok {
			continue
		}
		if n, err := strconv.ParseUint(v.text, 10, 32); err == nil && v.typ == typeU32 && n > 1<<31-1 {
			p.warnAt(v.line, "totem.interface."+key, fmt.Sprintf("%d does not fit Corosync's int: the key is ignored", n), "use a smaller number")
			continue // data->knet_... is a signed int, and only values above -1 are stored
		}
		v.key = fmt.Sprintf("totem.interface.%d.%s", p.link, key)
		if problem := p.set("totem.interface."+key, v); problem != nil {
			return problem
		}
	}
	for i, v := range slices.Backward(p.members) { // qb_list_add puts the newest first
		v.key = fmt.Sprintf("totem.interface.%d.member.%d", p.link, len(p.members)-1-i)
		if problem := p.set("totem.interface.member.memberaddr", v); problem != nil {
			return problem
		}
	}
	p.members = nil
	return nil
}

// endLogger stores the keys of a logging section, the newest first, so that of two equal keys the first one stays.
func (p *parser) endLogger(prefix, name, nameKey string) *Problem {
	for _, v := range slices.Backward(p.logKeys) {
		v.key = prefix + v.key
		if problem := p.set(v.key, v); problem != nil {
			return problem
		}
	}
	p.logKeys = nil
	return p.set(prefix+nameKey, pending{prefix + nameKey, typeString, name, p.line})
}

// endDaemonLog stores logging_daemon{}, whose keys go to different places for corosync itself and for other daemons.
func (p *parser) endDaemonLog(path string) *Problem {
	switch {
	case p.daemon == nil:
		return p.fail(path, "no name key", "say which daemon this section is about, for example `name: corosync`")
	case *p.daemon == "corosync" && p.subsys == nil:
		for _, v := range slices.Backward(p.logKeys) {
			v.key = "logging." + v.key
			if problem := p.set(v.key, v); problem != nil {
				return problem
			}
		}
		return nil
	case *p.daemon == "corosync":
		return p.endLogger(fmt.Sprintf("logging.logger_subsys.%s.", *p.subsys), *p.subsys, "subsys")
	case p.subsys == nil:
		return p.endLogger(fmt.Sprintf("logging.logging_daemon.%s.", *p.daemon), *p.daemon, "name")
	}
	prefix := fmt.Sprintf("logging.logging_daemon.%s.%s.", *p.daemon, *p.subsys)
	if problem := p.endLogger(prefix, *p.subsys, "subsys"); problem != nil {
		return problem
	}
	return p.set(prefix+"name", pending{prefix + "name", typeString, *p.daemon, p.line})
}
