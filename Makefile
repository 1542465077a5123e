# The paper's report, from a clone. `make` alone prints help.
#
# What is typed reaches Python by the environment, as it was typed: neither make nor a shell expands
# it. A variable that is not listed here is refused.
VARIABLES := TABLE FEATURES MUSIC GTZAN SEEDS RECIPES SPLITS MORE STRICT CLIPS TAKE CHECK LAB NPROC PYTHON KERAS_BACKEND AUDIO MODEL
TYPED := $(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(name)))
$(foreach name,$(sort $(VARIABLES) $(TYPED)),$(if $(filter-out undefined,$(origin $(name))),\
  $(eval override $(name) := $$(value $(name)))$(eval export $(name))))
export VARIABLES TYPED

# In every step of a training, XLA takes and frees some hundred MB. glibc would hand it back to the
# system and fault it in anew each time, for a third of the training's time: it holds it instead.
export MALLOC_ARENA_MAX ?= 1
export MALLOC_MMAP_MAX_ ?= 0
export MALLOC_TRIM_THRESHOLD_ ?= 2147483647

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory

# ---- The environment: PYTHON if given, else the active one, else .venv, made here.

ifdef PYTHON
  READY := environment
else ifneq ($(if $(value VIRTUAL_ENV),active)$(filter-out base,$(value CONDA_DEFAULT_ENV)),)
  override PYTHON := python
  READY := environment
else
  override PYTHON := .venv/bin/python
  READY := venv
endif
export PYTHON
# What checks the variables needs no package: it runs before there is an environment.
PLAIN := $(if $(filter venv,$(READY)),python3,"$$PYTHON")

.PHONY: typed environment venv
typed:
	+@$(PLAIN) -c 'import sys; sys.exit(sys.version_info < (3, 11, 4))' || { echo \
	  "error: this Python is older than 3.11.4, or is none: install a newer one, or name one with make PYTHON=..." >&2; exit 1; }
	+@PYTHONPATH=src $(PLAIN) -S -m music_genre.build check $(filter report beyond tune predict,$(MAKECMDGOALS))

environment: | typed
	+@"$$PYTHON" -c 'import importlib.util as u, os, sys; s = u.find_spec("music_genre"); \
	  sys.exit(not s or not os.path.realpath(s.origin).startswith(os.path.realpath("src")))' || { echo \
	  "error: this Python environment lacks this checkout's package: run \`pip install -e .[dev]\` in it, or deactivate it" >&2; exit 1; }

venv: | typed
	@python3 src/music_genre/build/environment.py

# ---- What to ask for.

.PHONY: help report beyond tune predict restore publish data pairs style test lab bench-features bench-train sample lock clean

help: ## show this list
	@echo "usage: make TARGET [TABLE=folder under params/]"
	@echo "                   [MUSIC=folder of music, one folder per genre | GTZAN=the same | FEATURES=table.csv]"
	@echo "                   [SEEDS=\"0 1 2\": train each row with these seeds] [RECIPES=1: the recipe study too]"
	@echo "                   [SPLITS=\"segment track artist\": compare the last row with simpler models on these splits]"
	@echo "                   [MORE=1: with music, 282 more numbers of each segment, which \`make beyond\` and \`make tune\` train on]"
	@echo "                   [STRICT=1: a clip that cannot be described is an error] [NPROC=1: threads of each training]"
	@echo "                   [PYTHON=python: the environment to use]"
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' Makefile

# The plan's rules, one for each notebook to execute, stand in reports/TABLE/plan.mk: read them there.
report: | $(READY) ## make reports/TABLE/report.html, on all cores (-j1: one step at a time)
	+@exec "$$PYTHON" -m music_genre.build report "$(MAKE)"

beyond: | $(READY) ## train params/beyond on each of SPLITS with each of SEEDS (hours); the next report shows it
	+@exec "$$PYTHON" -m music_genre.build report "$(MAKE)" beyond

tune: | $(READY) ## search for settings by validation tracks (hours); `make beyond` trains what it found
	+@exec "$$PYTHON" -m music_genre.build report "$(MAKE)" tune

predict: | $(READY) ## name the genre of AUDIO=song.mp3, or of each file in a folder; MODEL=folder of a model
	@exec "$$PYTHON" -m music_genre.build.predict

restore: | $(READY) ## copy the published trainings here, so that `make report` shows them and does not repeat them
	@"$$PYTHON" -m music_genre.report.publish reports/table1 restore

publish: | $(READY) ## publish the report of the full table in reports/gtzan/ and README.md
	@"$$PYTHON" -m music_genre.report.publish "reports/$${TABLE:-table1}"

data: | $(READY) ## download GTZAN and the published lists into data/; CHECK=1: only list what is there, or in MUSIC=
	@"$$PYTHON" -m music_genre.data.$(if $(filter-out 0 no false,$(CHECK)),gtzan,fetch) $${MUSIC:+"$$MUSIC"} $${GTZAN:+"$$GTZAN"}

pairs: | $(READY) ## bring each notebook's .py and .ipynb into agreement; TAKE=py or TAKE=ipynb if both were edited
	@"$$PYTHON" -m music_genre.pairs $${TAKE:+"$$TAKE"}

style: | $(READY) ## check style: ruff, pairs of notebooks, no outputs in git
	@"$$PYTHON" -m ruff check --quiet . && "$$PYTHON" -m ruff format --check --quiet .
	@"$$PYTHON" -m music_genre.pairs && "$$PYTHON" -m music_genre.strip check

test: style ## check style and run all tests; the slowest are named
	@"$$PYTHON" -m pytest -q -n auto --dist loadfile

lab: | $(READY) ## open JupyterLab in notebooks/; LAB="--port 9999 --no-browser": flags for it
	@git config filter.notebook.clean "python3 -I src/music_genre/strip.py" 2>/dev/null || true
	@set -f; JUPYTER_CONFIG_PATH="$$(pwd)/.jupyter$${JUPYTER_CONFIG_PATH:+:$$JUPYTER_CONFIG_PATH}" \
	  "$$PYTHON" -m jupyterlab $$LAB

bench-features: | $(READY) ## time the extraction of features, on the clips in CLIPS=folder
	@"$$PYTHON" tests/bench/bench_features.py "$${CLIPS:?name a folder of clips with CLIPS=}"

bench-train: | $(READY) ## time training with each of Keras's back ends that is installed
	@"$$PYTHON" tests/bench/bench_train.py "$$FEATURES"

sample: | $(READY) ## compute the embedded sample again, from CLIPS=folder with a folder per genre
	@"$$PYTHON" -m music_genre.data.sample "$${CLIPS:?name a folder of clips with CLIPS=}"

lock: ## write requirements.lock and environment.yml again, from pyproject.toml (needs uv)
	@uv pip compile pyproject.toml --quiet --extra dev --universal --fork-strategy fewest \
	  --python-version 3.11 --generate-hashes --no-annotate --custom-compile-command "make lock" \
	  -o requirements.lock
	@sed -n '1,/- pip:/p' environment.yml > environment.yml.new
	@sed -n 's/^\([a-z0-9].*==.*[^ ]\) *\\$$/      - "\1"/p' requirements.lock >> environment.yml.new
	@echo '      - -e .' >> environment.yml.new
	@mv environment.yml.new environment.yml

clean: | typed ## remove what `make report` made for TABLE (not .venv, not data/)
	@PYTHONPATH=src $(PLAIN) -S -m music_genre.build clean
