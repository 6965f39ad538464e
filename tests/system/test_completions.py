"""The completions of ntp-ctl in the shells that read them."""

import os
import pathlib
import shutil
import subprocess

from harness import Case, built


def said(*command):
    """The lines that a shell prints, and its complaints."""
    # Names of sources and keys are asked of the program itself.
    places = f"{pathlib.Path(built('ntp-ctl')).parent}:{os.environ['PATH']}"
    done = subprocess.run(command, capture_output=True, text=True, timeout=20,
                          env={**os.environ, "PATH": places})
    return done.stdout.splitlines(), done.stderr


# What is typed so far, and what may follow it (among others).
CASES = [
    (["trac"], {"tracking"}),
    (["waits"], {"waitsync"}),
    (["source", ""], {"add", "list", "modify", "remove"}),
    (["source", "add", "nts"], {"nts", "nts-pool"}),
    (["-c", "sources", "mig"], {"migrate"}),
    (["--format", ""], {"plain", "json", "csv"}),
    (["check", "--m"], {"--max-error", "--min-sources", "--max-stratum"}),
    (["completion", ""], {"bash", "zsh", "fish"}),
    (["set", "--pers"], {"--persist"}),
]


class Completions(Case):

    def script(self, shell):
        path = self.path(f"ntp-ctl.{shell}")
        path.write_bytes(subprocess.run([built("ntp-ctl"), "completion", shell],
                                        check=True, capture_output=True).stdout)
        return path

    def needs(self, shell):
        if shutil.which(shell) is None:
            self.skipTest(f"there is no {shell}")

    def check(self, complete):
        for words, expected in CASES:
            with self.subTest(words=words):
                offered, err = complete(words)
                self.assertEqual("", err)
                offered = {word.split(":")[0] for word in offered}
                self.assertLessEqual(expected, offered)
                self.assertNotIn("status", offered)

    def test_bash_completes_what_can_be_said(self):
        script = self.script("bash")
        program = ('source "$1"; shift; COMP_WORDS=(ntp-ctl "$@"); COMP_CWORD=$#'
                   '; _ntp_ctl; printf "%s\\n" "${COMPREPLY[@]}"')
        self.check(lambda words: said("bash", "--norc", "-c", program, "bash",
                                      script, *words))

    def test_bash_does_not_run_what_stands_in_a_name(self):
        trap = self.path("trap")
        program = ('source "$1"; ntp-ctl() { printf "%s,1\\n" name '
                   '"\\$(touch $trap)" "*" "[2001:db8::1]:123" time.example; }; '
                   'trap=$2; current=; _ntp_ctl_asked sources; '
                   'printf "%s\\n" "${COMPREPLY[@]}"')
        self.assertEqual(
            (["[2001:db8::1]", "time.example"], ""),
            said("bash", "--norc", "-c", program, "bash", self.script("bash"),
                 trap))
        self.assertFalse(trap.exists())

    def test_zsh_completes_what_can_be_said(self):
        self.needs("zsh")
        script = self.script("zsh")
        # What the completion system does with the words that it is offered.
        program = ('compdef() {}\n_files() {}\n'
                   '_describe() { print -l -- ${(M)${(P)2}:#$typed*} }\n'
                   'compadd() { shift; print -l -- ${(M)@:#$typed*} }\n'
                   'source "$1"; shift\nwords=(ntp-ctl "$@"); '
                   'CURRENT=$#words; typed=$words[CURRENT]; _ntp_ctl')

        self.check(lambda words: said("zsh", "-fc", program, "zsh", script,
                                      *words))

    def test_zsh_takes_the_script_into_its_completion_system(self):
        self.needs("zsh")
        script = self.script("zsh")
        folder = self.path("functions")
        folder.mkdir()
        (folder / "_ntp-ctl").write_bytes(script.read_bytes())
        out, err = said(
            "zsh", "-fc", 'fpath=("$1" $fpath); autoload -U compinit; '
            'compinit -u -d "$1/dump"; print $_comps[ntp-ctl]', "zsh", folder)
        self.assertEqual((["_ntp-ctl"], ""), (out, err))

    def test_fish_completes_what_can_be_said(self):
        self.needs("fish")
        script = self.script("fish")

        def complete(words):
            typed = " ".join(["ntp-ctl", *words])
            lines, err = said("fish", "--no-config", "-c",
                              f"source {script}; complete -C '{typed}'")
            return [line.split("\t")[0] for line in lines], err

        self.check(complete)
