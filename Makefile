# The paper's report, from a clone. `make` alone prints help.

# Which folder under params/ (one .yaml per row); a features table (CSV); a folder of music.
TABLE ?= table1
FEATURES ?=
GTZAN ?=
# Seeds to train each row with beside 0; whether to train and show params/recipes too; which of
# params/splits to train, with simpler models, and compare.
SEEDS ?=
RECIPES ?=
SPLITS ?=

ifeq ($(TABLE),gtzan)
  $(error reports/gtzan holds the published report: give your table another name)
endif

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory

# ---- The environment: PYTHON if given, else the active one, else .venv, made here.

ifdef PYTHON
  READY := environment
else ifneq ($(VIRTUAL_ENV)$(filter-out base,$(CONDA_DEFAULT_ENV)),)
  PYTHON := python
  READY := environment
else
  PYTHON := .venv/bin/python
  READY := .venv/.ready
endif

.venv/.ready: requirements.lock pyproject.toml
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11, 4))' || { echo \
	  "error: python3 is older than 3.11.4: install a newer one, or name one with make PYTHON=..." >&2; exit 1; }
	@echo "building .venv: some minutes, once"
	@python3 -m venv .venv
	@$(PYTHON) -m pip install --quiet --require-hashes -r requirements.lock
	@$(PYTHON) -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

.PHONY: environment
environment:
	@$(PYTHON) -c 'import importlib.util as u, os, sys; s = u.find_spec("music_genre"); \
	  sys.exit(not s or not os.path.realpath(s.origin).startswith(os.path.realpath("src")))' || { echo \
	  "error: this Python environment lacks this checkout's package: run \`pip install -e .[dev]\` in it, or deactivate it" >&2; exit 1; }

# ---- What a report is made from.

# As music_genre.table.find has it: the table named, else the published one in GTZAN= or data/
# (or beside GTZAN=.../genres_original), else the one extracted from the clips there, else the sample.
MUSIC := $(or $(GTZAN),data)
# $(call seek,maxdepth,what to find): the first below MUSIC, hidden folders passed over, links not.
seek = $(shell cd "$(MUSIC)" 2>/dev/null && find -L . -maxdepth $(1) -name '.?*' -prune -o $(2) -print \
  2>/dev/null | awk -F/ '{print NF "\t" $$0}' | sort -n | head -n 1 | sed 's|^[0-9]*.\./|$(MUSIC)/|')
PUBLISHED := $(or $(call seek,3,-name features_3_sec.csv -type f),$(if $(filter \
  genres genres_original,$(notdir $(MUSIC))),$(wildcard $(dir $(MUSIC))features_3_sec.csv)))
CLIP := $(call seek,4,-type f \( -iname '*.wav' -o -iname '*.au' -o -iname '*.aif*' -o -iname \
  '*.flac' -o -iname '*.ogg' -o -iname '*.opus' -o -iname '*.mp3' \))
EXTRACTED := $(if $(FEATURES),,$(if $(CLIP),data/extracted.csv,$(if $(GTZAN),,$(wildcard data/extracted.csv))))
DATA := $(or $(FEATURES),$(PUBLISHED),$(EXTRACTED),src/music_genre/data/sample/features.csv)
ROWS := $(basename $(notdir $(wildcard params/$(TABLE)/*.yaml)))
OUT := reports/$(TABLE)
TRIED := $(if $(RECIPES),$(basename $(notdir $(wildcard params/recipes/*.yaml))))
SEEDED := $(foreach seed,$(filter-out 0,$(SEEDS)),$(ROWS:%=$(OUT)/seeds/$(seed)/%/train.ipynb))
BY_SPLIT := $(SPLITS:%=$(OUT)/splits/%/lstm/train.ipynb) $(if $(SPLITS),$(OUT)/shuffled/train.ipynb)
TRAININGS := $(ROWS:%=$(OUT)/rows/%/train.ipynb) $(SEEDED) $(TRIED:%=$(OUT)/recipes/%/train.ipynb) \
  $(BY_SPLIT)
SIMPLER := $(SPLITS:%=$(OUT)/splits/%/baselines.ipynb)
FAILURES := $(TRAININGS:%train.ipynb=%failed.json) $(SIMPLER:%.ipynb=%/failed.json)
SHOWN := $(strip $(sort $(ROWS)) $(SEEDS) $(TRIED) $(SPLITS))
INPUTS := $(DATA) $(KERAS_BACKEND)

space := $(subst ,, )
DATA_FILE := $(subst $(space),\ ,$(DATA))
src = $(1:%=src/music_genre/%.py)
BASE := $(OUT)/.inputs $(DATA_FILE) \
  $(call src,__init__ errors paths features gtzan lists table params metrics splits provenance \
    display plots)

ifneq ($(filter report $(OUT)/%,$(MAKECMDGOALS)),)
  ifeq ($(ROWS),)
    $(error params/$(TABLE) holds no .yaml: name a folder under params/ with TABLE=, one .yaml per row)
  endif
  ifneq ($(GTZAN),)
    ifeq ($(PUBLISHED)$(CLIP),)
      $(error $(GTZAN) holds neither clips in a folder per genre nor features_3_sec.csv: name a folder that does with GTZAN=, or none)
    endif
  endif
  ifneq ($(filter-out $(basename $(notdir $(wildcard params/splits/*.yaml))),$(SPLITS)),)
    $(error SPLITS is "$(SPLITS)": name some of segment, track and artist)
  endif
  # A stamp that says otherwise is made again, and with it what depends on it.
  ifneq ($(wildcard $(DATA_FILE))$(EXTRACTED),)
    ifeq ($(findstring n,$(filter-out --%,$(firstword $(MAKEFLAGS)))),)
      $(shell cd $(OUT) 2>/dev/null && { [ "$(INPUTS)" = "$$(cat .inputs 2>/dev/null)" ] || rm -f .inputs; \
        [ "$(SHOWN)" = "$$(cat .rows 2>/dev/null)" ] || rm -f .rows; })
    endif
  endif
endif

# Two stamps: which table and back end, which rows.
$(OUT)/.inputs:
	@mkdir -p $(@D) && echo "$(INPUTS)" > $@
$(OUT)/.rows:
	@mkdir -p $(@D) && echo "$(SHOWN)" > $@

# Clips are described again if one is newer than the table, if others are named than last time,
# and, to say so, if some were left out and STRICT=1 forbids it.
NEWER := $(if $(and $(EXTRACTED),$(CLIP)),$(shell \
  [ "$(MUSIC)" = "$$(cat data/extracted/.music 2>/dev/null)" ] || echo other; \
  [ "$(STRICT)" = 1 ] && grep -l '"clip":' data/extracted.problems.json 2>/dev/null; \
  find -L "$(MUSIC)" -mindepth 1 -name '.*' -prune -o -name 'extracted*' -prune -o \
    -newer data/extracted.csv -print 2>&1 | head -n 1))

data/extracted.csv: $(if $(CLIP),$(if $(NEWER),again) $(call src,features extraction gtzan)) | $(READY)
	@mkdir -p data/extracted
	@STRICT=$(STRICT) $(PYTHON) -m music_genre.data.extraction "$(MUSIC)" $@
	@echo "$(MUSIC)" > data/extracted/.music
.PHONY: again

$(filter-out data/extracted.csv,$(DATA_FILE)):
	@echo "error: $(DATA) does not exist: name a features table with FEATURES=, or leave it out" >&2; exit 1

# The .py is a notebook's source. --update leaves the time of an unchanged pair, hence touch.
notebooks/%.ipynb: notebooks/%.py | $(READY)
	@$(PYTHON) -m jupytext --quiet --to ipynb --update $<
	@touch $@

# $(call execute,notebook,papermill's arguments,what to do after a failure,what to try first): the
# target exists only if the run went through; what a failed one left is beside it, as .partial.ipynb
# and .log.
define execute
	@mkdir -p $(@D)
	@echo "$(1): $@"
	@$(4) { $(PYTHON) -m papermill --no-progress-bar --stdout-file - $(2) \
	    notebooks/$(1).ipynb $(@:.ipynb=.partial.ipynb) 2> $(@:.ipynb=.log) \
	  && mv $(@:.ipynb=.partial.ipynb) $@; } \
	  || { grep -v '^ *$$' $(@:.ipynb=.log) | tail -n 1 >&2; \
	       echo "error: $(1) failed; see $(@:.ipynb=.partial.ipynb) and $(@:.ipynb=.log)" >&2; \
	       $(or $(3),exit 1); }
endef

# $(call train,parameters,more of papermill's arguments): a row that fails leaves failed.json, and
# `make report` builds the report nevertheless, ends with an error, and tries it again next time.
define train
	@$(PYTHON) -m music_genre.params train $(1)
	@rm -f $(@D)/failed.json
	$(call execute,train,-f $(1) -r features "$(DATA)" -r output $(@D) $(2),$(call failed,$(1),$(@D)))
endef

# $(call failed,parameters,folder): leave failed.json there, and go on if the report is wanted.
failed = $(PYTHON) -m music_genre.params failed $(1) $(@:.ipynb=.log) $(2)$(if \
  $(filter report,$(MAKECMDGOALS)),,; exit 1)

$(OUT)/explore.ipynb: notebooks/explore.ipynb $(BASE) src/music_genre/data/sample/clips.npz \
    $(call src,sample/__init__) | $(READY)
	$(call execute,explore,-r features "$(DATA)")

$(OUT)/features.ipynb: notebooks/features.ipynb $(BASE) $(EXTRACTED) | $(READY)
	$(call execute,features,-r features "$(DATA)" -r extracted "$(EXTRACTED)")

$(OUT)/rows/%/train.ipynb: params/$(TABLE)/%.yaml notebooks/train.ipynb $(BASE) \
    $(call src,models training checkpoints) | $(READY)
	$(call train,$<)

# The same with another seed, and the trainings of the recipe study.
.SECONDEXPANSION:
$(OUT)/seeds/%/train.ipynb: params/$(TABLE)/$$(notdir $$*).yaml notebooks/train.ipynb $(BASE) \
    $(call src,models training checkpoints) | $(READY)
	$(call train,$<,-p seed $(patsubst %/,%,$(dir $*)))

$(OUT)/recipes/%/train.ipynb: params/recipes/%.yaml notebooks/train.ipynb $(BASE) \
    $(call src,models training checkpoints) | $(READY)
	$(call train,$<)

$(OUT)/recipes.ipynb: $(TRIED:%=$(OUT)/recipes/%/train.ipynb) notebooks/recipes.ipynb $(BASE) \
    $(call src,training summary study intervals) | $(READY)
	$(call execute,recipes,-r results $(OUT)/recipes -r rows "$(TRIED)" -r printed "$(TABLE)" \
	  -r features "$(DATA)")

# The last row's recipe and the simpler models, by each split.
$(OUT)/splits/%/lstm/train.ipynb: params/splits/%.yaml notebooks/train.ipynb $(BASE) \
    $(call src,models training checkpoints) | $(READY)
	$(call train,$<)

$(OUT)/splits/%/baselines.ipynb: params/splits/%.yaml notebooks/baselines.ipynb $(BASE) \
    $(call src,baselines) | $(READY)
	@rm -f $(@:.ipynb=)/failed.json
	$(call execute,baselines,-p split $* -r features "$(DATA)" -r output $(@:.ipynb=),\
	  $(call failed,$<,$(@:.ipynb=)))

$(OUT)/leakage.ipynb: $(SPLITS:%=$(OUT)/splits/%/lstm/train.ipynb) $(SIMPLER) $(OUT)/.rows \
    notebooks/leakage.ipynb $(BASE) $(call src,training baselines intervals leakage) | $(READY)
	$(call execute,leakage,-r results $(OUT)/splits -r splits "$(SPLITS)" -r features "$(DATA)")

# A row's recipe with its columns shuffled, and where errors fall.
$(OUT)/shuffled/train.ipynb: params/shuffled.yaml notebooks/train.ipynb $(BASE) \
    $(call src,models training checkpoints) | $(READY)
	$(call train,$<)

$(OUT)/errors.ipynb: $(ROWS:%=$(OUT)/rows/%/train.ipynb) $(BY_SPLIT) $(OUT)/.rows notebooks/errors.ipynb \
    $(BASE) $(call src,training summary intervals analysis) | $(READY)
	$(call execute,errors,-r results $(OUT) -r features "$(DATA)")

$(OUT)/rows/%/evaluate.ipynb: $(OUT)/rows/%/train.ipynb notebooks/evaluate.ipynb $(BASE) \
    $(call src,training) | $(READY)
	$(call execute,evaluate,-r results $(@D),,[ -e $(@D)/failed.json ] && echo "left out: $(@D)" ||)

$(OUT)/table1.ipynb: $(ROWS:%=$(OUT)/rows/%/train.ipynb) $(SEEDED) $(OUT)/.rows notebooks/table1.ipynb \
    $(if $(RECIPES),$(TRIED:%=$(OUT)/recipes/%/train.ipynb)) \
    $(BASE) $(call src,training summary intervals paper study) | $(READY)
	$(call execute,table1,-r results $(OUT)/rows -r rows "$(ROWS)")

$(OUT)/report.html: $(OUT)/explore.ipynb $(OUT)/features.ipynb $(OUT)/table1.ipynb \
    $(ROWS:%=$(OUT)/rows/%/evaluate.ipynb) $(if $(RECIPES),$(OUT)/recipes.ipynb) \
    $(if $(SPLITS),$(OUT)/leakage.ipynb $(OUT)/errors.ipynb) $(OUT)/.rows $(call src,report summary) \
    $(wildcard src/music_genre/report/template/*) | $(READY)
	@$(PYTHON) -m music_genre.report.page $(OUT) "$(ROWS)" $(if $(RECIPES),recipes) $(if $(SPLITS),leakage errors)

# ---- What to ask for.

.PHONY: help report restore publish data test lab bench-features bench-train sample lock clean

help: ## this list
	@echo "usage: make TARGET [TABLE=folder under params/] [FEATURES=table.csv | GTZAN=folder of music]"
	@echo "                   [SEEDS=\"0 1 2\": train each row with these] [RECIPES=1: train and show params/recipes too]"
	@echo "                   [SPLITS=\"segment track artist\": the last row and simpler models by these splits]"
	@echo "                   [STRICT=1: a clip that cannot be described is an error] [PYTHON=python]"
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

report: $(OUT)/report.html ## the report, reports/TABLE/report.html (-j2: two rows at a time)
	@echo "report: $(OUT)/report.html"
	@failed=$$(ls $(FAILURES) 2>/dev/null); \
	  [ -z "$$failed" ] || { echo "error: not trained, see" $$failed >&2; exit 1; }

restore: $(READY) ## the published trainings, to be shown and not done again by `make report` with GTZAN's table
	@$(PYTHON) -m music_genre.report.publish reports/table1 restore

publish: $(READY) ## put the report of the full table, and what is behind it, into reports/gtzan/ and README.md
	@$(PYTHON) -m music_genre.report.publish $(OUT)

data: $(READY) ## download GTZAN and the published lists into data/; CHECK=1: say what is there
	@$(PYTHON) -m music_genre.data.$(if $(CHECK),gtzan,fetch) $(if $(GTZAN),"$(GTZAN)")

test: $(READY) ## style and tests
	@$(PYTHON) -m ruff check --quiet . && $(PYTHON) -m ruff format --check --quiet .
	@$(PYTHON) -m pytest -q -n auto --dist loadfile

lab: $(READY) ## JupyterLab on the notebooks
	@$(PYTHON) -m jupyterlab notebooks

bench-features: $(READY) ## how quickly features come, on the clips in CLIPS=folder
	@$(PYTHON) tests/bench/bench_features.py "$(or $(CLIPS),$(error name a folder of clips with CLIPS=))"

bench-train: $(READY) ## how quickly the model trains on each of Keras's back ends installed
	@$(PYTHON) tests/bench/bench_train.py "$(FEATURES)"

sample: $(READY) ## the embedded sample again, from CLIPS=folder with a folder per genre
	@$(PYTHON) -m music_genre.data.sample "$(or $(CLIPS),$(error name a folder of clips with CLIPS=))"

lock: ## requirements.lock and environment.yml again, from pyproject.toml (needs uv)
	@uv pip compile pyproject.toml --quiet --extra dev --universal --fork-strategy fewest \
	  --python-version 3.11 --generate-hashes --no-annotate --custom-compile-command "make lock" \
	  -o requirements.lock
	@sed -n '1,/- pip:/p' environment.yml > environment.yml.new
	@sed -n 's/^\([a-z0-9].*==.*[^ ]\) *\\$$/      - "\1"/p' requirements.lock >> environment.yml.new
	@echo '      - -e .' >> environment.yml.new
	@mv environment.yml.new environment.yml

clean: ## remove what `make report` made for TABLE (not .venv, not data/)
	@rm -rf "reports/$(or $(TABLE),table1)"
